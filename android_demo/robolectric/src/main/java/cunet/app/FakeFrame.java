package cunet.app;

import android.graphics.Bitmap;
import android.graphics.ImageFormat;
import android.media.Image;
import java.nio.ByteBuffer;

/** A camera's frame, YUV_420_888 with planes apart, made of a bitmap. */
final class FakeFrame extends Image {
    private static long clock = 1_000_000_000L;  // nanoseconds; each frame is 33 ms later

    private final int width, height;
    private final long time = clock += 33_000_000;
    private final Plane[] planes = new Plane[3];

    FakeFrame(Bitmap bitmap) {
        width = bitmap.getWidth();
        height = bitmap.getHeight();
        byte[][] samples = {new byte[width * height], new byte[width * height / 4], new byte[width * height / 4]};
        int[] pixels = new int[width * height];
        bitmap.getPixels(pixels, 0, width, 0, 0, width, height);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int pixel = pixels[y * width + x];
                double red = pixel >> 16 & 0xFF;
                double green = pixel >> 8 & 0xFF;
                double blue = pixel & 0xFF;
                double luma = 0.299 * red + 0.587 * green + 0.114 * blue;
                samples[0][y * width + x] = (byte) Math.round(luma);
                int at = y / 2 * (width / 2) + x / 2;
                samples[1][at] = (byte) Math.min(255, Math.round(128 + (blue - luma) / 1.772));
                samples[2][at] = (byte) Math.min(255, Math.round(128 + (red - luma) / 1.402));
            }
        }
        for (int i = 0; i < 3; i++) {
            planes[i] = new Samples(samples[i], i == 0 ? width : width / 2);
        }
    }

    private static final class Samples extends Plane {
        private final ByteBuffer bytes;
        private final int rowStride;

        Samples(byte[] bytes, int rowStride) {
            this.bytes = ByteBuffer.wrap(bytes);
            this.rowStride = rowStride;
        }

        @Override
        public int getRowStride() {
            return rowStride;
        }

        @Override
        public int getPixelStride() {
            return 1;
        }

        @Override
        public ByteBuffer getBuffer() {
            return bytes;
        }
    }

    @Override
    public int getFormat() {
        return ImageFormat.YUV_420_888;
    }

    @Override
    public int getWidth() {
        return width;
    }

    @Override
    public int getHeight() {
        return height;
    }

    @Override
    public long getTimestamp() {
        return time;
    }

    @Override
    public int getTransform() {
        return 0;
    }

    @Override
    public int getScalingMode() {
        return 0;
    }

    @Override
    public int getPlaneCount() {
        return 3;
    }

    @Override
    public Plane[] getPlanes() {
        return planes;
    }

    @Override
    public void close() {}
}
