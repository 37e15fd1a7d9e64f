package cunet.core;

/**
 * Follows one object from frame to frame, the same as cunet_tf.tracking.track: each frame is searched in the tight
 * box of the points of the frame before. After {@link #PATIENCE} frames with low scores the search starts over
 * in the first box, and if that fails in the whole picture, in turn.
 */
public final class Tracker {
    /** Frames with a lower mean score are lost, for models that have no measure of confidence. */
    public static final double MIN_SCORE = 0.4;
    /** Lost frames in a row before the search starts over. */
    public static final int PATIENCE = 8;
    private static final double MIN_SIDE = 4.0;  // pixels; points closer together are no object

    private final OneEuroFilter filter;
    private final Box first;
    private Box place;
    private int low;

    /**
     * @param filter smooths the points, or {@code null}; reset here
     * @param first tight box in the first frame, in upright pixels; {@code null} is the whole picture
     */
    public Tracker(OneEuroFilter filter, Box first) {
        this.filter = filter;
        this.first = first;
        this.place = first;
        if (filter != null) {
            filter.reset();
        }
    }

    /** Where to search the next frame, tight, in upright pixels; {@code null} is the whole picture. */
    public Box place() {
        return place;
    }

    /** Whether the last frame was lost. */
    public boolean lost() {
        return low > 0;
    }

    /**
     * What was found in the next frame.
     *
     * @param seconds of the frame, from any origin
     * @return landmarks in upright pixels, smoothed unless the frame is lost
     */
    public Landmarks update(Landmarks found, double seconds) {
        boolean lost = Double.isNaN(found.confidence) ? found.meanScore() < MIN_SCORE : !found.found;
        low = lost ? low + 1 : 0;
        place = nextPlace(found.points);
        if (filter == null) {
            return found;
        }
        if (low > 0) {
            filter.reset();
            return found;
        }
        return found.with(filter.smooth(found.points, seconds));
    }

    private Box nextPlace(double[][] points) {
        if (low > 0 && low % PATIENCE == 0) {
            return low / PATIENCE % 2 == 1 ? first : null;
        }
        Box tight = Box.around(points);
        return tight.longerSide() >= MIN_SIDE ? tight : null;
    }
}
