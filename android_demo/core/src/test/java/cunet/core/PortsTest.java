package cunet.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The vectors of {@code docs/ports.md}, within the tolerances that it states; detectors and networks run elsewhere. */
final class PortsTest {
    private PortsTest() {}

    static void run(Check check, Golden ports) {
        each(check, ports, "upright", PortsTest::upright);
        each(check, ports, "crop", PortsTest::crop);
        each(check, ports, "output", PortsTest::output);
        each(check, ports, "smoothing", PortsTest::smoothing);
        each(check, ports, "border", PortsTest::border);
        each(check, ports, "decode", PortsTest::decode);
        each(check, ports, "to_picture", PortsTest::toPicture);
        each(check, ports, "closer", PortsTest::closer);
        each(check, ports, "confidence", PortsTest::confidence);
        each(check, ports, "locate", PortsTest::locate);
        each(check, ports, "crops", PortsTest::crops);
    }

    private interface Body {
        void run(Fields one) throws Exception;
    }

    private static void each(Check check, Golden ports, String topic, Body body) {
        List<Fields> cases = ports.cases(topic);
        check.test("ports: " + topic + " is there", () -> Check.that(!cases.isEmpty(), "no cases"));
        for (Fields one : cases) {
            check.test("ports: " + topic, () -> body.run(one));
        }
    }

    /** As the page says; alpha is left out. */
    private static Picture picture(Fields one) {
        Picture picture = new Picture((int) one.number("width"), (int) one.number("height"));
        for (int i = 0; i < picture.argb.length; i++) {
            int x = i % picture.width;
            int y = i / picture.width;
            int red = 7 * x + 11 * y + 3 * x * y;
            picture.argb[i] = Picture.pack(red % 256, (red + 85) % 256, (red + 170) % 256);
        }
        return picture;
    }

    /** int8 heat maps, landmark, row, column in the file, as the network gives them. */
    private static float[] maps(double[] stored, Fields one, int side) {
        TensorType type = TensorType.int8((float) one.number("scale"), (int) one.number("zero_point"), 1, side, side,
                stored.length / (side * side));
        ByteBuffer raw = ByteBuffer.allocate(stored.length);
        for (int i = 0; i < stored.length; i++) {
            int landmark = i / (side * side);
            raw.put(i % (side * side) * type.channels() + landmark, (byte) stored[i]);
        }
        return type.read(raw);
    }

    private static Box box(Fields one) {
        double[] b = one.numbers("box");
        return new Box(b[0], b[1], b[2], b[3]);
    }

    private static double[][] points(Fields one, String field) {
        double[] flat = one.numbers(field);
        return Golden.points(flat, 0, flat.length / 2);
    }

    private static void bytes(byte[] rgb, int first, double[] expected, int size) {
        int differ = 0;
        for (int i = 0; i < expected.length; i++) {
            int channel = i / (expected.length / 3);
            int at = first + i % (expected.length / 3);
            int apart = Math.abs((rgb[3 * at + channel] & 255) - (int) expected[i]);
            Check.that(apart <= 1, "byte " + i + " of a crop of " + size + " px is " + apart + " apart");
            differ += apart;
        }
        Check.that(differ <= 0.03 * expected.length, differ + " bytes differ");
    }

    private static void upright(Fields one) {
        double[] stored = one.numbers("stored");
        Picture picture = new Picture(3, 2);
        for (int i = 0; i < 6; i++) {
            picture.argb[i] = (int) stored[i];
        }
        Picture seen = Orientation.ofExif((int) one.number("orientation")).seen(picture);
        Check.same(seen.height, one.list("upright").size());
        Check.near(Arrays.stream(seen.argb).asDoubleStream().toArray(), one.numbers("upright"), 0);
    }

    private static void crop(Fields one) {
        int size = (int) one.number("size");
        Affine map = Affine.crop(box(one), one.number("factor"), size, one.number("roll"));
        Check.near(new double[] {map.a, map.b, map.c, map.d, map.e, map.f}, one.numbers("matrix"), 1e-6);
        bytes(Warp.crop(picture(one), map, size).toRgb(), 0, one.numbers("crop"), size);
    }

    private static void output(Fields one) {
        double[] integers = one.numbers("integers");
        TensorType type = TensorType.int8((float) one.number("scale"), (int) one.number("zero_point"), 1, 1, 1,
                integers.length);
        ByteBuffer raw = ByteBuffer.allocate(integers.length);
        for (int i = 0; i < integers.length; i++) {
            raw.put(i, (byte) integers[i]);
        }
        Check.near(Golden.widen(type.read(raw)), one.numbers("values"), 1e-6);
    }

    private static void smoothing(Fields one) {
        float[] kernel = Blur.kernel(one.number("sigma"));
        float[] half = Arrays.copyOfRange(kernel, kernel.length / 2, kernel.length);
        Check.near(Golden.widen(half), one.numbers("kernel_from_middle"), 1e-6);
    }

    private static void border(Fields one) {
        int side = (int) one.number("side");
        Border border = Border.of(one.number("sigma"), side);
        Check.same((double) border.pull, one.number("pull"));
        double[] weights = one.numbers("weights");
        for (int i = 0; i < weights.length; i++) {
            double found = Math.sqrt(border.weight(i - 1, i - 1));
            Check.near(new double[] {found}, new double[] {weights[i]}, 1e-5);
        }
        for (Object each : one.list("corrected")) {
            Fields step = new Fields("corrected", each);
            double found = border.corrected(step.number("step"), (int) step.number("cell"));
            Check.near(new double[] {found}, new double[] {step.number("corrected")}, 1e-5);
        }
    }

    private static void decode(Fields one) {
        int side = 12;
        float[] maps = maps(one.numbers("maps"), one, side);
        int channels = maps.length / (side * side);
        for (String name : new String[] {"argmax", "quarter", "dark"}) {
            double[][] found = Decoder.named(name).points(maps, side, channels, one.number("sigma"));
            Check.near(Golden.flat(found), one.numbers(name), 1e-4);
        }
        Check.near(Golden.widen(Decoder.scores(maps, side, channels)), one.numbers("scores"), 1e-6);
    }

    private static void toPicture(Fields one) {
        Affine map = Affine.crop(box(one), one.number("factor"), (int) one.number("input_size"), one.number("roll"));
        Affine back = map.inverse().after(new Affine(4, 0, 1.5, 0, 4, 1.5));
        Check.near(Golden.flat(back.apply(points(one, "heatmap_points"))), one.numbers("picture_points"), 1e-5);
    }

    private static void closer(Fields one) {
        double[][] points = points(one, "points");
        same(View.around(points, 1, one.number("roll")).box, one.numbers("box"), 1e-5);
        same(View.around(points, 1, 0).box, one.numbers("box_without_a_mean"), 1e-5);
    }

    private static void same(Box found, double[] expected, double tolerance) {
        Check.near(new double[] {found.x0, found.y0, found.x1, found.y1}, expected, tolerance);
    }

    private static void confidence(Fields one) {
        double[][] points = points(one, "points");
        double[] stored = one.numbers("maps");
        int side = (int) Math.sqrt(stored.length / points.length);
        float[] maps = maps(stored, one, side);
        double[][] before = one.has("before") ? points(one, "before") : null;
        Confidence known = new Confidence(one.object("confidence"), points.length);
        double found = known.of(maps, side, points, Decoder.scores(maps, side, points.length), before);
        Check.near(new double[] {found}, new double[] {one.number("answer")}, 1e-4);
        double roll = Math.abs(known.roll(points)) / 90;
        Check.near(new double[] {roll}, new double[] {one.object("features").number("roll")}, 1e-4);
    }

    private static void locate(Fields one) {
        ModelSpec spec = new ModelSpec(one.object("description"));
        List<float[]> left = new ArrayList<>();
        for (Object each : one.list("maps")) {
            Fields maps = new Fields("maps", java.util.Collections.singletonMap("maps", each));
            left.add(maps(maps.numbers("maps"), one, spec.inputSize / 4));
        }
        Stored engine = new Stored(spec, left);
        Landmarks found;
        int crops = one.has("crops") ? (int) one.number("crops") : 1;
        try (Localizer localizer = new Localizer(engine, spec, null, one.flag("flip_test"), crops)) {
            found = localizer.locate(picture(one), one.has("box") ? box(one) : null);
        }
        Check.same(engine.calls, left.size());
        bytes(engine.first, 32 * spec.inputSize, one.numbers("first_crop_row_32"), spec.inputSize);
        Fields object = one.object("object");
        Check.near(Golden.flat(found.points), object.numbers("landmarks"), 1e-3);
        Check.near(Golden.widen(found.scores), object.numbers("scores"), 1e-6);
        Check.near(new double[] {found.confidence}, new double[] {object.number("confidence")}, 1e-3);
        Check.same(found.found, object.flag("found"));
        Check.same(found.boxFrom, object.text("box_from"));
        same(found.box, object.numbers("box"), 1e-9);
        for (int i = 0; i < found.visible.length; i++) {
            Check.same(found.visible[i], object.list("visible").get(i));
        }
    }

    private static void crops(Fields one) {
        int side = (int) one.number("side");
        double[] stored = one.numbers("maps");
        int channels = stored.length / (side * side);
        float[] mean = maps(stored, one, side);
        Crops.average(mean, maps(one.numbers("turned"), one, side), side, channels);
        double[] expected = one.numbers("mean");
        for (int i = 0; i < expected.length; i++) {
            int cell = i % (side * side);
            double[] found = {mean[cell * channels + i / (side * side)]};
            Check.near(found, new double[] {expected[i]}, 1e-6);
        }
        Check.same(one.number("degrees"), Crops.TURN);
    }

    /** Returns stored maps and keeps the bytes of the first crop. */
    private static final class Stored implements Engine {
        final TensorType input, output;
        final List<float[]> maps;
        byte[] first;
        int calls;

        Stored(ModelSpec spec, List<float[]> maps) {
            input = TensorType.int8(1 / 255f, -128, 1, spec.inputSize, spec.inputSize, 3);
            output = TensorType.float32(1, spec.inputSize / 4, spec.inputSize / 4, spec.skeleton.size());
            this.maps = maps;
        }

        @Override
        public TensorType input() {
            return input;
        }

        @Override
        public TensorType output() {
            return output;
        }

        @Override
        public void run(ByteBuffer in, ByteBuffer out) {
            if (calls == 0) {
                first = new byte[input.count()];
                for (int i = 0; i < first.length; i++) {
                    first[i] = (byte) (in.get(i) + 128);  // section 4 of the page
                }
            }
            output.write(maps.get(calls++), out.order(ByteOrder.nativeOrder()));
        }

        @Override
        public void close() {}
    }
}
