package cunet.core;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** What {@code tools/golden.py} or {@code golden_ports.py} wrote: topics, each a list of cases. */
final class Golden {
    private final Fields topics;

    Golden(String file) throws IOException {
        byte[] bytes = Files.readAllBytes(Paths.get(file));
        topics = new Fields("golden", Json.parse(new String(bytes, StandardCharsets.UTF_8)));
    }

    /** The cases of a topic; empty where the file has no such topic. */
    List<Fields> cases(String topic) {
        List<Fields> out = new ArrayList<>();
        if (topics.has(topic)) {
            for (Object item : topics.list(topic)) {
                out.add(new Fields(topic + "[" + out.size() + "]", item));
            }
        }
        return out;
    }

    /** Sides of a stored array. */
    static int[] shape(Fields array) {
        double[] sides = array.numbers("shape");
        int[] out = new int[sides.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = (int) sides[i];
        }
        return out;
    }

    static byte[] bytes(Fields array) {
        return Base64.getDecoder().decode(array.text("data"));
    }

    static double[] doubles(Fields array) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes(array)).order(ByteOrder.LITTLE_ENDIAN);
        int size = array.text("type").equals("u1") ? 1 : array.text("type").equals("f4") ? 4 : 8;
        double[] out = new double[buffer.capacity() / size];
        for (int i = 0; i < out.length; i++) {
            out[i] = size == 1 ? buffer.get(i) & 255 : size == 4 ? buffer.getFloat(4 * i) : buffer.getDouble(8 * i);
        }
        return out;
    }

    static float[] floats(Fields array) {
        double[] values = doubles(array);
        float[] out = new float[values.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = (float) values[i];
        }
        return out;
    }

    static Picture picture(Fields array) {
        int[] shape = shape(array);
        return Picture.fromRgb(bytes(array), shape[1], shape[0]);
    }

    static double[] flat(double[][] points) {
        double[] out = new double[2 * points.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = points[i / 2][i % 2];
        }
        return out;
    }

    static double[] widen(float[] values) {
        double[] out = new double[values.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = values[i];
        }
        return out;
    }

    /** Points {@code [n][2]} from 2 n numbers, starting at point {@code first}. */
    static double[][] points(double[] values, int first, int count) {
        double[][] out = new double[count][2];
        for (int i = 0; i < 2 * count; i++) {
            out[i / 2][i % 2] = values[2 * first + i];
        }
        return out;
    }
}
