package cunet.core;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/** Frames to RGB, crops and orientations, against Python's bytes. */
final class PixelsTest {
    private PixelsTest() {}

    static void run(Check check, Golden golden) {
        for (Fields one : golden.cases("yuv")) {
            check.test("yuv " + one.number("width") + "x" + one.number("height"), () -> yuv(one));
        }
        for (Fields one : golden.cases("crop")) {
            check.test("crop " + Arrays.toString(Golden.shape(one.object("image"))), () -> crop(one));
        }
        for (Fields one : golden.cases("turned")) {
            check.test("turned " + one.number("clockwise"), () -> turned(one));
        }
        check.test("rgba and rgb", PixelsTest::packed);
        check.test("short frames are refused", PixelsTest::refusals);
        check.test("camera orientation", PixelsTest::cameras);
        check.test("Exif orientation", PixelsTest::exif);
        check.test("Exif tag", PixelsTest::exifTag);
    }

    private static void yuv(Fields one) {
        int width = (int) one.number("width");
        int height = (int) one.number("height");
        List<?> planes = one.list("planes");
        double[] strides = one.numbers("strides");
        Yuv.Plane[] made = new Yuv.Plane[3];
        for (int i = 0; i < 3; i++) {
            byte[] bytes = Golden.bytes(new Fields("plane", planes.get(i)));
            int step = i == 0 ? 1 : (int) one.number("step");
            made[i] = new Yuv.Plane(ByteBuffer.wrap(bytes), 0, (int) strides[i == 0 ? 0 : 1], step);
        }
        byte[] expected = Golden.bytes(one.object("rgb"));
        Picture picture = new Picture(width, height);
        Yuv.toPicture(made[0], made[1], made[2], picture);
        Check.that(Arrays.equals(picture.toRgb(), expected), "planes");
        Picture nv21 = Yuv.fromNv21(Golden.bytes(one.object("nv21")), width, height);
        Check.that(Arrays.equals(nv21.toRgb(), expected), "NV21");
    }

    private static void crop(Fields one) {
        int size = (int) one.number("size");
        double[] m = one.numbers("matrix");
        if (one.number("rotation") == 0 && !one.flag("flip")) {
            double[] b = one.numbers("box");
            Affine plain = Affine.crop(new Box(b[0], b[1], b[2], b[3]), one.number("factor"), size);
            Check.near(new double[] {plain.a, plain.b, plain.c, plain.d, plain.e, plain.f}, m, 1e-9);
        }
        Picture crop = Warp.crop(Golden.picture(one.object("image")), new Affine(m[0], m[1], m[2], m[3], m[4], m[5]),
                size);
        differences(crop.toRgb(), Golden.bytes(one.object("crop")), 0, 0);
    }

    private static void turned(Fields one) {
        Picture frame = Golden.picture(one.object("frame"));
        Orientation turn = new Orientation((int) one.number("clockwise"), one.flag("mirror"));
        int width = turn.uprightWidth(frame.width, frame.height);
        int height = turn.uprightHeight(frame.width, frame.height);
        Check.near(new double[] {width, height}, one.numbers("upright"), 0);
        Affine toUpright = turn.frameToUpright(frame.width, frame.height);
        double[][] ends = Golden.points(one.numbers("first_last"), 0, 2);
        Check.near(Golden.flat(toUpright.apply(ends)), new double[] {0, 0, width - 1, height - 1}, 1e-12);
        Check.that(Arrays.equals(turn.seen(frame).toRgb(), Golden.bytes(one.object("seen"))), "what people see");

        double[] view = one.numbers("view");
        Affine toView = turn.uprightToView(frame.width, frame.height, (int) view[0], (int) view[1]);
        double[][] points = Golden.points(one.numbers("points"), 0, 4);
        Check.near(Golden.flat(toView.apply(points)), one.numbers("screen"), 1e-4);
        double[][] inFrame = toUpright.inverse().apply(points);
        Check.near(Golden.flat(toView.after(toUpright).apply(inFrame)), one.numbers("screen"), 1e-4);

        double[][] corners = Golden.points(one.numbers("box"), 0, 2);
        Affine crop = Affine.crop(Box.around(corners), 1.3, 64);
        Check.near(Golden.flat(crop.apply(corners)), one.numbers("in_crop"), 1e-9);
        // The same crop, read from a frame that lies on its side: sums in another order may round another way.
        Picture cut = Warp.crop(frame, crop.after(toUpright), 64);
        differences(cut.toRgb(), Golden.bytes(one.object("crop")), 1, turn.rotation == 0 ? 0 : 12);
    }

    /** At most {@code count} bytes differ, each by at most {@code most}. */
    private static void differences(byte[] found, byte[] expected, int most, int count) {
        Check.same(found.length, expected.length);
        int differ = 0;
        for (int i = 0; i < found.length; i++) {
            int apart = Math.abs((found[i] & 255) - (expected[i] & 255));
            differ += apart > 0 ? 1 : 0;
            Check.that(apart <= most, "byte " + i + " is " + (found[i] & 255) + ", expected " + (expected[i] & 255));
        }
        Check.that(differ <= count, differ + " of " + found.length + " bytes differ");
    }

    private static void packed() {
        byte[] rgba = {1, 2, 3, 9, (byte) 0xFE, (byte) 0x80, (byte) 0xA0, 9, 0, 0, 1, 1, 1, 0, 2, 2, 2, 0};
        Picture picture = Picture.fromRgba(rgba, 2, 1, 10);
        Check.that(Arrays.equals(picture.argb, new int[] {0xFF010203, 0xFFFE80A0}), "rgba");
        Check.same(Picture.fromRgba(rgba, 2, 2, 10).argb[2], 0xFF010101);
        Check.that(Arrays.equals(Picture.fromRgb(picture.toRgb(), 2, 1).argb, picture.argb), "rgb");
        Check.that(Arrays.equals(picture.mirrored().argb, new int[] {0xFFFE80A0, 0xFF010203}), "mirrored");
    }

    private static void refusals() throws Exception {
        Check.refused("plane U", () -> Yuv.fromNv21(new byte[11], 3, 3));
        Yuv.Plane plane = new Yuv.Plane(ByteBuffer.allocate(15), 0, 4, 1);
        Check.refused("plane Y", () -> Yuv.toPicture(plane, plane, plane, new Picture(4, 4)));
        Check.refused("15 bytes", () -> Picture.fromRgba(new byte[15], 2, 2, 8));
        Check.refused("width * height", () -> new Picture(2, 2, new int[3]));
        Check.refused("multiple of 90", () -> new Orientation(45, false));
    }

    private static void cameras() {
        // A common phone: back camera at 90, front camera at 270 degrees; display upright, then turned to landscape.
        int[][] expected = {{90, 0, 90}, {90, 90, 0}, {90, 180, 270}, {90, 270, 180}};
        for (int[] one : expected) {
            Check.same(Orientation.ofCamera(one[0], one[1], false).rotation, one[2]);
        }
        int[][] front = {{270, 0, 270}, {270, 90, 0}, {270, 180, 90}, {270, 270, 180}};
        for (int[] one : front) {
            Orientation found = Orientation.ofCamera(one[0], one[1], true);
            Check.same(found.rotation, one[2]);
            Check.that(found.mirrored, "a front camera is seen mirrored");
        }
    }

    /** The stored pixel that must come to the upper left of 2x3 pixels, for tags 1 to 8 as the standard draws them. */
    private static void exif() {
        int[] upperLeft = {0, 1, 5, 4, 0, 4, 5, 1};
        Picture stored = new Picture(2, 3);
        for (int i = 0; i < 6; i++) {
            stored.argb[i] = i;
        }
        for (int tag = 1; tag <= 8; tag++) {
            Picture seen = Orientation.ofExif(tag).seen(stored);
            Check.same(seen.argb[0], upperLeft[tag - 1]);
            Check.same(seen.width, tag < 5 ? 2 : 3);
        }
    }

    private static void exifTag() {
        byte[] little = jpeg("49492a0008000000", "0f010200010000000000000012010300010000000600000000000000");
        byte[] big = jpeg("4d4d002a00000008", "010f0002000000010000000001120003000000010008000000000000");
        Check.same(Exif.orientation(little), 6);
        Check.same(Exif.orientation(big), 8);
        for (int length = 0; length < little.length; length++) {
            int tag = Exif.orientation(Arrays.copyOf(little, length));
            Check.that(tag == 1 || tag == 6, "cut after " + length + " bytes: " + tag);
        }
        little[24] = (byte) 0xFF;  // the directory begins far outside
        Check.same(Exif.orientation(little), 1);
        Check.same(Exif.orientation(new byte[] {'P', 'N', 'G', 0}), 1);
    }

    /** A JPEG's first segments: JFIF, then Exif with two entries. */
    private static byte[] jpeg(String header, String entries) {
        String count = header.startsWith("49") ? "0200" : "0002";
        String hex = "ffd8ffe000040000ffe10030457869660000" + header + count + entries + "00000000ffda0000";
        byte[] bytes = new byte[hex.length() / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        }
        return bytes;
    }
}
