package cunet.core;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;

/** Descriptions, metadata and quantized numbers, against Python. */
final class ModelsTest {
    private ModelsTest() {}

    static void run(Check check, Golden golden) {
        for (Fields one : golden.cases("spec")) {
            String text = one.text("text");
            check.test("spec " + text.substring(0, Math.min(60, text.length())), () -> spec(one));
        }
        for (Fields one : golden.cases("metadata")) {
            check.test("metadata of " + one.text("name"), () -> metadata(one));
        }
        for (Fields one : golden.cases("quantize")) {
            check.test("quantize " + one.number("scale"), () -> quantize(one));
        }
        check.test("JSON", ModelsTest::json);
        check.test("tensors", ModelsTest::tensors);
    }

    private static void spec(Fields one) throws Exception {
        String text = one.text("text");
        if (!one.flag("accept")) {
            Check.refused("", () -> new ModelSpec(text));
            return;
        }
        ModelSpec spec = new ModelSpec(text);
        Check.same(spec.name, one.text("name"));
        Check.near(new double[] {spec.inputSize, spec.cropFactor, spec.sigma},
                new double[] {one.number("input_size"), one.number("crop_factor"), one.number("sigma")}, 0);
        Check.same(spec.decoder, one.text("decoder"));
        Check.same(Arrays.asList(spec.skeleton.names), one.list("names"));
        double[] flip = one.numbers("flip");
        for (int i = 0; i < flip.length; i++) {
            Check.same(spec.skeleton.flip[i], (int) flip[i]);
        }
        double[] edges = one.numbers("edges");
        Check.same(spec.skeleton.edges.length, edges.length / 2);
        for (int i = 0; i < edges.length; i++) {
            Check.same(spec.skeleton.edges[i / 2][i % 2], (int) edges[i]);
        }
    }

    private static void metadata(Fields one) throws Exception {
        byte[] model = Golden.bytes(one.object("model"));
        Check.same(TfliteMetadata.find(model, ModelSpec.NAME), one.text("spec"));
        Check.that(TfliteMetadata.find(model, "no such buffer") == null, "a buffer that is not there");
        Check.refused("TFL3", () -> TfliteMetadata.find(new byte[100], ModelSpec.NAME));
        Random random = new Random(1);
        for (int i = 0; i < 200; i++) {
            // Truncated, or with a wild offset near the root: an answer or a clear refusal, never anything else.
            byte[] broken = Arrays.copyOf(model, i % 2 == 0 ? 8 + random.nextInt(model.length - 8) : model.length);
            int at = i % 4 == 1 ? 8 + random.nextInt(200) : random.nextInt(4);
            broken[at] = (byte) random.nextInt();
            try {
                TfliteMetadata.find(broken, ModelSpec.NAME);
            } catch (CUNetException expected) {
                Check.that(expected.getMessage().contains("export it again"), expected.getMessage());
            }
        }
    }

    private static void quantize(Fields one) {
        float[] values = Golden.floats(one.object("values"));
        TensorType type = TensorType.int8((float) one.number("scale"), (int) one.number("zero_point"), 1, 1, 1,
                values.length);
        ByteBuffer buffer = ByteBuffer.allocate(type.bytes());
        type.write(values, buffer);
        double[] integers = Golden.doubles(one.object("integers"));
        for (int i = 0; i < values.length; i++) {
            Check.same((int) buffer.get(i), (int) integers[i]);
        }
        Check.near(Golden.widen(type.read(buffer)), Golden.doubles(one.object("back")), 0);
    }

    private static void json() throws Exception {
        Fields fields = new Fields("x", Json.parse(" {\"a\\u0041\\n\": [1, -2.5e1, []], \"b\": true, \"c\": null} "));
        Check.near(fields.numbers("aA\n"), new double[] {1, -25}, 0);
        Check.that(!fields.has("c"), "null is absent");
        for (String bad : new String[] {"", "[1,]", "{\"a\" 1}", "01", "\"\\x\"", "[1] 2", "tru", "\"a", "NaN", "-"}) {
            Check.refused("not JSON", () -> Json.parse(bad));
        }
        char[] deep = new char[100000];
        Arrays.fill(deep, '[');
        Check.refused("levels", () -> Json.parse(new String(deep)));
        Check.refused("x.d", () -> fields.text("d"));
        Check.refused("x.b", () -> fields.number("b"));
    }

    private static void tensors() throws Exception {
        Check.refused("shape", () -> TensorType.float32(1, 0, 4, 3));
        Check.refused("shape", () -> TensorType.float32(1, 1 << 20, 1 << 20, 3));
        Check.refused("scale", () -> TensorType.int8(0, 0, 1, 4, 4, 3));
        Check.refused("zero point", () -> TensorType.int8(1, 200, 1, 4, 4, 3));
    }
}
