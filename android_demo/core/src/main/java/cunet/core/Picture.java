package cunet.core;

/** A colour picture, row by row from the upper left; alpha is kept but never used. */
public final class Picture {
    public final int width, height;
    /** {@code height * width} values 0xAARRGGBB: what Bitmap and BufferedImage take and give. */
    public final int[] argb;

    /**
     * Wraps the pixels without a copy.
     *
     * @throws CUNetException a side below 1, or another number of pixels
     */
    public Picture(int width, int height, int[] argb) {
        if (width < 1 || height < 1 || argb.length != (long) width * height) {
            throw new CUNetException("picture of " + width + "x" + height + " with " + argb.length
                    + " pixels: give width * height of them.");
        }
        this.width = width;
        this.height = height;
        this.argb = argb;
    }

    /** A black picture. */
    public Picture(int width, int height) {
        this(width, height, new int[Math.max(0, width) * Math.max(0, height)]);
    }

    /** From {@code [H, W, 3]} bytes, red first. */
    public static Picture fromRgb(byte[] rgb, int width, int height) {
        return fromBytes(rgb, width, height, 3, 3 * width);
    }

    /** From RGBA bytes (PixelFormat.RGBA_8888) whose rows start every {@code rowStride} bytes. */
    public static Picture fromRgba(byte[] rgba, int width, int height, int rowStride) {
        return fromBytes(rgba, width, height, 4, rowStride);
    }

    private static Picture fromBytes(byte[] bytes, int width, int height, int step, int rowStride) {
        long needed = (long) (height - 1) * rowStride + (long) width * step;
        if (rowStride < width * step || bytes.length < needed) {
            throw new CUNetException("picture of " + width + "x" + height + ": " + bytes.length
                    + " bytes with row stride "
                    + rowStride + ", at least " + needed + " are needed.");
        }
        Picture picture = new Picture(width, height);
        for (int y = 0, i = 0; y < height; y++) {
            for (int x = 0, j = y * rowStride; x < width; x++, i++, j += step) {
                picture.argb[i] = pack(bytes[j] & 0xFF, bytes[j + 1] & 0xFF, bytes[j + 2] & 0xFF);
            }
        }
        return picture;
    }

    /** @return {@code [H, W, 3]} bytes, red first */
    public byte[] toRgb() {
        byte[] rgb = new byte[3 * argb.length];
        for (int i = 0, j = 0; i < argb.length; i++) {
            rgb[j++] = (byte) (argb[i] >> 16);
            rgb[j++] = (byte) (argb[i] >> 8);
            rgb[j++] = (byte) argb[i];
        }
        return rgb;
    }

    /** The same picture mirrored left to right. */
    public Picture mirrored() {
        Picture other = new Picture(width, height);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                other.argb[y * width + x] = argb[(y + 1) * width - 1 - x];
            }
        }
        return other;
    }

    /** An opaque pixel of three values 0..255. */
    static int pack(int red, int green, int blue) {
        return 0xFF000000 | red << 16 | green << 8 | blue;
    }
}
