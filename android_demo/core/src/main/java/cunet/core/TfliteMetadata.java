package cunet.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Finds a named metadata buffer in a {@code .tflite} file (a flatbuffer, schema version 3).
 *
 * <p>Reads only the four tables on the way and never trusts an offset.
 */
public final class TfliteMetadata {
    // Field numbers of the public schema.
    private static final int MODEL_BUFFERS = 4;
    private static final int MODEL_METADATA = 6;
    private static final int ENTRY_NAME = 0;
    private static final int ENTRY_BUFFER = 1;
    private static final int BUFFER_DATA = 0;

    private final ByteBuffer data;

    private TfliteMetadata(byte[] bytes) {
        data = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * The text of a metadata buffer.
     *
     * @param model bytes of a {@code .tflite} file.
     * @param name of the buffer, for example {@code "cunet_spec"}.
     * @return its bytes as UTF-8, or {@code null} where the model has none of that name.
     * @throws CUNetException not a TensorFlow Lite model, or a damaged one.
     */
    public static String find(byte[] model, String name) {
        if (model.length < 8 || !new String(model, 4, 4, StandardCharsets.US_ASCII).equals("TFL3")) {
            throw new CUNetException("not a TensorFlow Lite model (no TFL3 mark): export it again.");
        }
        try {
            return new TfliteMetadata(model).find(name);
        } catch (IndexOutOfBoundsException | ArithmeticException error) {
            throw new CUNetException("damaged TensorFlow Lite model: export it again.");
        }
    }

    private String find(String name) {
        int root = data.getInt(0);
        int entries = follow(root, MODEL_METADATA);
        int buffers = follow(root, MODEL_BUFFERS);
        if (entries == 0 || buffers == 0) {
            return null;
        }
        for (int i = 0; i < length(entries); i++) {
            int entry = item(entries, i);
            int label = follow(entry, ENTRY_NAME);
            if (label != 0 && text(label).equals(name)) {
                int number = field(entry, ENTRY_BUFFER);
                int index = number == 0 ? 0 : data.getInt(number);
                if (index < 0 || index >= length(buffers)) {
                    throw new IndexOutOfBoundsException();
                }
                int content = follow(item(buffers, index), BUFFER_DATA);
                return content == 0 ? null : text(content);
            }
        }
        return null;
    }

    /** Position of a field's value inside its table, 0 where the field is absent. */
    private int field(int table, int number) {
        int vtable = table - data.getInt(table);
        int slot = 4 + 2 * number;
        int size = data.getShort(vtable) & 0xFFFF;
        int offset = slot + 2 <= size ? data.getShort(vtable + slot) & 0xFFFF : 0;
        return offset == 0 ? 0 : table + offset;
    }

    private int follow(int table, int number) {
        int place = field(table, number);
        return place == 0 ? 0 : Math.addExact(place, data.getInt(place));
    }

    private int length(int vector) {
        int count = data.getInt(vector);
        if (count < 0 || count > data.capacity()) {
            throw new IndexOutOfBoundsException();
        }
        return count;
    }

    private int item(int vector, int index) {
        int place = vector + 4 + 4 * index;
        return Math.addExact(place, data.getInt(place));
    }

    private String text(int vector) {
        int count = length(vector);
        if (vector + 4 + (long) count > data.capacity()) {
            throw new IndexOutOfBoundsException();
        }
        return new String(data.array(), vector + 4, count, StandardCharsets.UTF_8);
    }
}
