package cunet.core;

/**
 * Tight boxes of faces from what Android's own two finders tell. Models describe a map for BlazeFace's boxes only, so
 * these are approximations, good enough to look there; the look after it is in the box of the points found.
 */
public final class FaceBoxes {
    // Of the mean shape of face-mobile: the tight box of the 68 points, in distances between the eyes' middles.
    private static final double SIDE = 2.28;
    private static final double BELOW = 0.72;  // from the point between the eyes down to the box's centre

    private FaceBoxes() {}

    /**
     * The square around an upright face whose eyes are known, as android.media.FaceDetector gives them.
     *
     * @param x of the point between the eyes, picture pixels, centres on integers
     * @param y of the same point
     * @param distance between the eyes, pixels
     * @throws CUNetException a distance of 0 or below
     */
    public static Box ofEyes(double x, double y, double distance) {
        if (!(distance > 0)) {
            throw new CUNetException("eyes " + distance + " pixels apart: give a distance above 0.");
        }
        return square(x, y + BELOW * distance, SIDE * distance);
    }

    /** The square about the centre of a finder's rectangle, as long as its longer side. */
    public static Box square(Box box) {
        return square(box.centreX(), box.centreY(), box.longerSide());
    }

    private static Box square(double x, double y, double side) {
        return new Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2);
    }

    /**
     * The map from a camera's sensor to its frames. A frame shows the crop region as large as possible: where their
     * shapes differ, the region loses the same on both sides, as Camera2 defines it.
     *
     * @param crop SCALER_CROP_REGION in pixels of the active array, counted from pixel corners as a Rect is
     * @param width of the frame
     * @param height of the frame
     * @throws CUNetException an empty region
     */
    public static Affine sensorToFrame(Box crop, int width, int height) {
        double wide = crop.x1 - crop.x0;
        double high = crop.y1 - crop.y0;
        if (!(wide > 0) || !(high > 0)) {
            throw new CUNetException("crop region " + crop + ": give one with extent, such as the active array.");
        }
        double zoom = Math.max(width / wide, height / high);
        return new Affine(zoom, 0, (width - 1) / 2.0 - zoom * crop.centreX(),
                0, zoom, (height - 1) / 2.0 - zoom * crop.centreY());
    }

    /** The upright box around a box that an affine map turned by a multiple of 90 degrees. */
    public static Box mapped(Box box, Affine map) {
        return Box.around(map.apply(box.corners()));
    }

    /** The largest of boxes: which of them; -1 of none. */
    public static int largest(Box[] boxes) {
        int best = -1;
        for (int i = 0; i < boxes.length; i++) {
            best = best < 0 || boxes[i].longerSide() > boxes[best].longerSide() ? i : best;
        }
        return best;
    }
}
