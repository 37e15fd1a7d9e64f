package cunet.core;

/**
 * Resampling through an affine map, bilinear, black outside: the same bytes as cv2.warpAffine with
 * INTER_LINEAR of OpenCV 5 on a machine with fused multiply-add, which is what cunet_tf.data.geometry.warp gives.
 */
public final class Warp {
    private Warp() {}

    /**
     * A square crop. A picture much larger than the crop is first reduced by area averaging, so that
     * the crop of a large photograph is not aliased.
     *
     * @param toCrop picture pixels to crop pixels
     * @param size side of the crop in pixels
     */
    public static Picture crop(Picture picture, Affine toCrop, int size) {
        double zoom = toCrop.zoom();
        if (zoom < 0.5) {
            int factor = (int) Math.min(1.0 / zoom, Math.min(picture.width, picture.height));
            double shift = (factor - 1) / 2.0;  // centre of reduced pixel u is factor * u + shift
            picture = reduce(picture, factor);
            toCrop = toCrop.after(new Affine(factor, 0, shift, 0, factor, shift));
        }
        return bilinear(picture, toCrop.inverse(), size);
    }

    /**
     * Averages of {@code factor} x {@code factor} pixels, rounded half to even; a rest at the right and below is
     * cut.
     */
    static Picture reduce(Picture picture, int factor) {
        Picture small = new Picture(picture.width / factor, picture.height / factor);
        float share = 1f / (factor * factor);
        for (int y = 0, i = 0; y < small.height; y++) {
            for (int x = 0; x < small.width; x++, i++) {
                int red = 0;
                int green = 0;
                int blue = 0;
                for (int v = 0; v < factor; v++) {
                    int at = (y * factor + v) * picture.width + x * factor;
                    for (int end = at + factor; at < end; at++) {
                        int value = picture.argb[at];
                        red += value >> 16 & 0xFF;
                        green += value >> 8 & 0xFF;
                        blue += value & 0xFF;
                    }
                }
                small.argb[i] = factor == 2
                        ? Picture.pack(red + 2 >> 2, green + 2 >> 2, blue + 2 >> 2)  // OpenCV rounds up here
                        : Picture.pack(round(red * share), round(green * share), round(blue * share));
            }
        }
        return small;
    }

    /** @param toPicture crop pixels to picture pixels */
    private static Picture bilinear(Picture picture, Affine toPicture, int size) {
        float a = (float) toPicture.a;
        float b = (float) toPicture.b;
        float c = (float) toPicture.c;
        float d = (float) toPicture.d;
        float e = (float) toPicture.e;
        float f = (float) toPicture.f;
        Picture crop = new Picture(size, size);
        for (int y = 0, i = 0; y < size; y++) {
            float rowX = y * b + c;
            float rowY = y * e + f;
            for (int x = 0; x < size; x++, i++) {
                float sourceX = fused(x, a, rowX);
                float sourceY = fused(x, d, rowY);
                int left = (int) Math.floor(sourceX);
                int top = (int) Math.floor(sourceY);
                crop.argb[i] = blend(picture, left, top, sourceX - left, sourceY - top);
            }
        }
        return crop;
    }

    private static int blend(Picture picture, int left, int top, float right, float down) {
        int p = at(picture, left, top);
        int q = at(picture, left + 1, top);
        int r = at(picture, left, top + 1);
        int s = at(picture, left + 1, top + 1);
        return 0xFF000000 | channel(p, q, r, s, 16, right, down) << 16
                | channel(p, q, r, s, 8, right, down) << 8 | channel(p, q, r, s, 0, right, down);
    }

    private static int channel(int p, int q, int r, int s, int shift, float right, float down) {
        float upperLeft = p >> shift & 0xFF;
        float lowerLeft = r >> shift & 0xFF;
        float upper = fused(right, (q >> shift & 0xFF) - upperLeft, upperLeft);
        float lower = fused(right, (s >> shift & 0xFF) - lowerLeft, lowerLeft);
        return round(fused(down, lower - upper, upper));
    }

    private static int at(Picture picture, int x, int y) {
        boolean inside = x >= 0 && y >= 0 && x < picture.width && y < picture.height;
        return inside ? picture.argb[y * picture.width + x] : 0;
    }

    /** {@code x * y + z} with one rounding; Math.fma needs Java 9. The product of two floats is exact in a double. */
    private static float fused(float x, float y, float z) {
        return (float) ((double) x * y + z);
    }

    private static int round(float value) {
        return (int) Math.rint(value);
    }
}
