package cunet.core;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/** Heat maps to points in the picture, the flip test, smoothing and tracking, against Python's numbers. */
final class PointsTest {
    private static final double TOLERANCE = 1e-4;

    private PointsTest() {}

    static void run(Check check, Golden golden) {
        for (Fields one : golden.cases("decode")) {
            check.test("decode " + one.text("decoder") + " sigma " + one.number("sigma"), () -> decode(one));
        }
        for (Fields one : golden.cases("locate")) {
            check.test("locate", () -> locate(one));
            check.test("locate without pairs", () -> needsPairs(one));
        }
        for (Fields one : golden.cases("smooth")) {
            check.test("smooth " + one.number("min_cutoff"), () -> smooth(one));
        }
        for (Fields one : golden.cases("track")) {
            check.test("track", () -> track(one));
        }
        check.test("misuse is refused", PointsTest::refusals);
        check.test("overlay", PointsTest::overlay);
    }

    private static void decode(Fields one) {
        int[] shape = Golden.shape(one.object("maps"));
        float[] maps = Golden.floats(one.object("maps"));
        double[][] found = Decoder.named(one.text("decoder")).points(maps, shape[0], shape[2], one.number("sigma"));
        Check.near(Golden.flat(found), Golden.doubles(one.object("points")), TOLERANCE);
        float[] scores = Decoder.scores(maps, shape[0], shape[2]);
        Check.near(Golden.widen(scores), Golden.doubles(one.object("scores")), 1e-6);
    }

    /** Returns stored maps and keeps what it was given. */
    private static final class Stored implements Engine {
        final TensorType input, output;
        final List<?> maps;
        final float[][] seen;
        int calls;

        Stored(ModelSpec spec, List<?> maps) {
            input = TensorType.float32(1, spec.inputSize, spec.inputSize, 3);
            output = TensorType.float32(1, spec.inputSize / 4, spec.inputSize / 4, spec.skeleton.size());
            this.maps = maps;
            seen = new float[maps.size()][];
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
            seen[calls] = input.read(in);
            output.write(Golden.floats(new Fields("maps", maps.get(calls++))), out);
        }

        @Override
        public void close() {}
    }

    private static void locate(Fields one) {
        ModelSpec spec = new ModelSpec(one.text("spec"));
        Stored engine = new Stored(spec, one.list("maps"));
        double[] b = one.has("box") ? one.numbers("box") : null;
        Box box = b == null ? null : new Box(b[0], b[1], b[2], b[3]);
        Landmarks found;
        int crops = (int) one.number("crops");
        try (Localizer localizer = new Localizer(engine, spec, null, one.flag("flip_test"), crops)) {
            found = localizer.locate(Golden.picture(one.object("image")), box);
        }
        List<?> inputs = one.list("inputs");
        Check.same(engine.calls, inputs.size());
        for (int i = 0; i < engine.calls; i++) {
            // Later looks follow the points of earlier ones, whose last digits may turn a rounding.
            double tolerance = i < crops * (one.flag("flip_test") ? 2 : 1) ? 1e-7 : 1.01 / 255;
            Check.near(Golden.widen(engine.seen[i]), Golden.doubles(new Fields("input", inputs.get(i))), tolerance);
        }
        Check.near(Golden.flat(found.points), Golden.doubles(one.object("points")), TOLERANCE);
        Check.near(Golden.widen(found.scores), Golden.doubles(one.object("scores")), 1e-6);
        Check.near(values(found.box), one.numbers("place"), 1e-9);
        Check.same(found.boxFrom, one.text("box_from"));
        Check.same(found.found, one.flag("found"));
        Check.same(Double.isNaN(found.confidence), !one.has("confidence"));
        if (one.has("confidence")) {
            Check.near(new double[] {found.confidence}, new double[] {one.number("confidence")}, 1e-5);
            List<?> visible = one.list("visible");
            for (int i = 0; i < found.visible.length; i++) {
                Check.same(found.visible[i], visible.get(i));
            }
        }
    }

    /** Nobody has said what a mirror image swaps: no flip test. */
    private static void needsPairs(Fields one) throws Exception {
        ModelSpec spec = new ModelSpec(one.text("spec").replace("\"flip_pairs\"", "\"forgotten\""));
        Check.that(!spec.skeleton.mirrored && new ModelSpec(one.text("spec")).skeleton.mirrored, "mirrored");
        Check.refused("flip_pairs", () -> new Localizer(new Stored(spec, one.list("maps")), spec, null, true, 1));
        Check.refused("crops 3", () -> new Localizer(new Stored(new ModelSpec(one.text("spec")), one.list("maps")),
                new ModelSpec(one.text("spec")), null, false, 3));
    }

    private static void smooth(Fields one) {
        OneEuroFilter filter = new OneEuroFilter(one.number("min_cutoff"), one.number("beta"));
        double[] times = one.numbers("times");
        int count = Golden.shape(one.object("points"))[1];
        double[] points = Golden.doubles(one.object("points"));
        double[] answers = Golden.doubles(one.object("answers"));
        for (int i = 0; i < times.length; i++) {
            double[][] found = filter.smooth(Golden.points(points, i * count, count), times[i]);
            Check.near(Golden.flat(found), Golden.flat(Golden.points(answers, i * count, count)), 1e-9);
        }
    }

    private static void track(Fields one) {
        double[] b = one.numbers("start");
        Tracker tracker = new Tracker(new OneEuroFilter(OneEuroFilter.MIN_CUTOFF, OneEuroFilter.BETA),
                new Box(b[0], b[1], b[2], b[3]));
        int count = Golden.shape(one.object("points"))[1];
        double[] points = Golden.doubles(one.object("points"));
        float[] scores = Golden.floats(one.object("scores"));
        double[] smoothed = Golden.doubles(one.object("smoothed"));
        List<?> boxes = one.list("boxes");
        List<?> lost = one.list("lost");
        for (int i = 0; i < boxes.size(); i++) {
            Check.same(tracker.place() == null, boxes.get(i) == null);
            if (tracker.place() != null) {
                Fields expected = new Fields("box", java.util.Collections.singletonMap("box", boxes.get(i)));
                Check.near(values(tracker.place()), expected.numbers("box"), 1e-9);
            }
            float[] score = Arrays.copyOfRange(scores, i * count, (i + 1) * count);
            Landmarks answer = tracker.update(new Landmarks(Golden.points(points, i * count, count), score, null),
                    i / 30.0);
            Check.same(tracker.lost(), lost.get(i));
            Check.near(Golden.flat(answer.points), Golden.flat(Golden.points(smoothed, i * count, count)), 1e-9);
        }
    }

    private static double[] values(Box box) {
        return new double[] {box.x0, box.y0, box.x1, box.y1};
    }

    private static void refusals() throws Exception {
        Check.refused("decoder soft", () -> Decoder.named("soft"));
        Check.refused("9 values", () -> Decoder.ARGMAX.points(new float[9], 3, 2, 1));
        Check.refused("min_cutoff", () -> new OneEuroFilter(0, 1));
        Check.refused("x0 < x1", () -> Affine.crop(new Box(5, 5, 5, 5), 1, 64));
        Check.refused("inverse", () -> new Affine(1, 1, 0, 1, 1, 0).inverse());
        OneEuroFilter filter = new OneEuroFilter(1, 0);
        filter.smooth(new double[][] {{1, 2}}, 1.0);
        Check.refused("reset", () -> filter.smooth(new double[][] {{1, 2}}, 0.5));
        Check.refused("reset", () -> filter.smooth(new double[2][2], 2.0));
    }

    private static void overlay() {
        double[][] corner = new Affine(2, 0, 0.5, 0, 2, 0.5).onCorners().apply(new double[][] {{0, 3}});
        Check.near(corner[0], new double[] {0, 6}, 0);  // twice as large, from corner to corner
        Check.same(Overlay.colour(0, 68), 0xFFFF2626);
        Check.same(Overlay.colour(0, 1), 0xFFFF2626);
        Check.same(Overlay.colour(1, 4) >> 8 & 255, 255);
    }
}
