package cunet.core;

/**
 * How a camera's frame lies: by how many degrees it must be turned clockwise to stand upright, and whether
 * people see it mirrored. Three spaces: frame (as the sensor delivers it), upright (what the network sees,
 * never mirrored) and view (on the screen, where a front camera is mirrored).
 */
public final class Orientation {
    /** 0, 90, 180 or 270, clockwise, frame to upright. */
    public final int rotation;
    /** The view shows the mirror image of the upright picture. */
    public final boolean mirrored;

    /** @throws CUNetException a rotation that is no multiple of 90 */
    public Orientation(int rotation, boolean mirrored) {
        if (rotation % 90 != 0) {
            throw new CUNetException("rotation " + rotation + ": give a multiple of 90 degrees.");
        }
        this.rotation = (rotation % 360 + 360) % 360;
        this.mirrored = mirrored;
    }

    /**
     * The orientation of an Android camera's frames.
     *
     * @param sensor SENSOR_ORIENTATION of the camera, degrees
     * @param display Display.getRotation() in degrees (90 times Surface.ROTATION_*)
     * @param front whether the camera faces the user
     */
    public static Orientation ofCamera(int sensor, int display, boolean front) {
        return new Orientation(front ? sensor + display : sensor - display, front);
    }

    /**
     * The orientation that an Exif tag names: {@link #seen} of the stored picture is the true one.
     *
     * @param tag 1 to 8; anything else counts as 1
     */
    public static Orientation ofExif(int tag) {
        switch (tag) {
            case 2: return new Orientation(0, true);
            case 3: return new Orientation(180, false);
            case 4: return new Orientation(180, true);
            case 5: return new Orientation(90, true);
            case 6: return new Orientation(90, false);
            case 7: return new Orientation(270, true);
            case 8: return new Orientation(270, false);
            default: return new Orientation(0, false);
        }
    }

    /** Width of the upright picture of a frame. */
    public int uprightWidth(int width, int height) {
        return rotation % 180 == 0 ? width : height;
    }

    /** Height of the upright picture of a frame. */
    public int uprightHeight(int width, int height) {
        return rotation % 180 == 0 ? height : width;
    }

    /** Frame pixels to upright pixels, for a frame of the given sides. */
    public Affine frameToUpright(int width, int height) {
        switch (rotation) {
            case 90: return new Affine(0, -1, height - 1, 1, 0, 0);
            case 180: return new Affine(-1, 0, width - 1, 0, -1, height - 1);
            case 270: return new Affine(0, 1, 0, -1, 0, width - 1);
            default: return Affine.IDENTITY;
        }
    }

    /**
     * Upright pixels to view pixels: the whole picture as large as possible in the middle of the view,
     * mirrored if people see it so.
     *
     * @param width of the frame
     * @param height of the frame
     */
    public Affine uprightToView(int width, int height, int viewWidth, int viewHeight) {
        int w = uprightWidth(width, height);
        int h = uprightHeight(width, height);
        double zoom = Math.min(viewWidth / (double) w, viewHeight / (double) h);
        double x = (viewWidth - 1) / 2.0 - zoom * (w - 1) / 2.0;
        double y = (viewHeight - 1) / 2.0 - zoom * (h - 1) / 2.0;
        Affine fit = new Affine(zoom, 0, x, 0, zoom, y);
        return mirrored ? fit.after(new Affine(-1, 0, w - 1, 0, 1, 0)) : fit;
    }

    /** The picture that people see, in its own size: turned upright, and mirrored if people see it so. */
    public Picture seen(Picture frame) {
        int w = uprightWidth(frame.width, frame.height);
        int h = uprightHeight(frame.width, frame.height);
        Affine back = uprightToView(frame.width, frame.height, w, h)
                .after(frameToUpright(frame.width, frame.height)).inverse();
        Picture turned = new Picture(w, h);
        for (int y = 0; y < h; y++) {
            for (int x = 0; x < w; x++) {
                int sourceX = (int) Math.rint(back.a * x + back.b * y + back.c);
                int sourceY = (int) Math.rint(back.d * x + back.e * y + back.f);
                turned.argb[y * w + x] = frame.argb[sourceY * frame.width + sourceX];
            }
        }
        return turned;
    }

    @Override
    public String toString() {
        return rotation + (mirrored ? " mirrored" : "");
    }
}
