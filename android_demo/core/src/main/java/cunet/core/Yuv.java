package cunet.core;

import java.nio.Buffer;
import java.nio.ByteBuffer;

/**
 * Camera frames to RGB: BT.601 with full range, as Android defines YUV_420_888 and NV21.
 *
 * <p>{@code R = Y + 1.402 V'}, {@code G = Y - 0.344136 U' - 0.714136 V'}, {@code B = Y + 1.772 U'} with
 * {@code U' = U - 128}, in 16-bit fixed point, rounded to the nearest. Each chroma value covers 2x2 pixels.
 */
public final class Yuv {
    private static final int HALF = 1 << 15;
    private static final int RED_V = 91881;
    private static final int GREEN_U = -22554;
    private static final int GREEN_V = -46802;
    private static final int BLUE_U = 116130;

    private Yuv() {}

    /** One plane of a frame: sample (x, y) is at {@code offset + y * rowStride + x * pixelStride}. */
    public static final class Plane {
        final ByteBuffer bytes;
        final int offset, rowStride, pixelStride;

        /** Strides in bytes, as android.media.Image.Plane gives them; the buffer is never moved. */
        public Plane(ByteBuffer bytes, int offset, int rowStride, int pixelStride) {
            this.bytes = bytes;
            this.offset = offset;
            this.rowStride = rowStride;
            this.pixelStride = pixelStride;
        }

        /** The last row of a real plane is often short, so only the last sample has to be there. */
        void check(String name, int width, int height) {
            long last = offset + (long) (height - 1) * rowStride + (long) (width - 1) * pixelStride;
            if (offset < 0 || rowStride < 1 || pixelStride < 1 || last >= bytes.limit()) {
                throw new CUNetException("camera frame: plane " + name + " has " + bytes.limit() + " bytes, row stride "
                        + rowStride + ", pixel stride " + pixelStride + ": too few for " + width + "x" + height + ".");
            }
        }

        /** One row at once: a look-up of each sample in a direct buffer costs a call. */
        void row(ByteBuffer view, int y, byte[] into, int samples) {
            ((Buffer) view).position(offset + y * rowStride);
            view.get(into, 0, (samples - 1) * pixelStride + 1);
        }
    }

    /**
     * @param into receives the pixels; its sides are the frame's
     * @throws CUNetException a plane is too short
     */
    public static void toPicture(Plane luma, Plane u, Plane v, Picture into) {
        int width = into.width;
        int height = into.height;
        luma.check("Y", width, height);
        u.check("U", (width + 1) / 2, (height + 1) / 2);
        v.check("V", (width + 1) / 2, (height + 1) / 2);
        int half = (width + 1) / 2;
        byte[][] rows = {new byte[width * luma.pixelStride], new byte[half * u.pixelStride],
                new byte[half * v.pixelStride]};
        ByteBuffer[] views = {luma.bytes.duplicate(), u.bytes.duplicate(), v.bytes.duplicate()};
        for (int y = 0; y < height; y++) {
            luma.row(views[0], y, rows[0], width);
            if (y % 2 == 0) {
                u.row(views[1], y / 2, rows[1], half);
                v.row(views[2], y / 2, rows[2], half);
            }
            for (int x = 0; x < width; x++) {
                into.argb[y * width + x] = pixel(
                        rows[0][x * luma.pixelStride] & 0xFF,
                        (rows[1][(x >> 1) * u.pixelStride] & 0xFF) - 128,
                        (rows[2][(x >> 1) * v.pixelStride] & 0xFF) - 128);
            }
        }
    }

    /** A frame in NV21: the luma plane, then interleaved V and U. */
    public static Picture fromNv21(byte[] frame, int width, int height) {
        ByteBuffer bytes = ByteBuffer.wrap(frame);
        int chroma = width * height;
        int stride = (width + 1) / 2 * 2;
        Picture picture = new Picture(width, height);
        toPicture(new Plane(bytes, 0, width, 1), new Plane(bytes, chroma + 1, stride, 2),
                new Plane(bytes, chroma, stride, 2), picture);
        return picture;
    }

    private static int pixel(int luma, int u, int v) {
        int base = (luma << 16) + HALF;
        return Picture.pack(
                clip(base + RED_V * v >> 16),
                clip(base + GREEN_U * u + GREEN_V * v >> 16),
                clip(base + BLUE_U * u >> 16));
    }

    private static int clip(int value) {
        return value < 0 ? 0 : Math.min(value, 255);
    }
}
