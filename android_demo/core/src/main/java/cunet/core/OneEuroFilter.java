package cunet.core;

/**
 * The One Euro filter on landmarks (Casiez, Roussel and Vogel, CHI 2012), the same as cunet_tf.smoothing: what
 * rests is smoothed strongly, what moves is smoothed little. Speed is measured in sizes of the object per
 * second, so the parameters hold for small and large pictures.
 */
public final class OneEuroFilter {
    /** Hz at rest; lower removes more jitter. */
    public static final double MIN_CUTOFF = 2.5;
    /** Hz for each object size per second; higher removes more lag. */
    public static final double BETA = 1.0;
    private static final double DERIVATIVE_CUTOFF = 1.0;

    private final double minCutoff, beta;
    private double[][] points;
    private double[][] velocity;
    private double time;

    /** @throws CUNetException a cutoff that is not above 0, or a negative beta */
    public OneEuroFilter(double minCutoff, double beta) {
        if (!(minCutoff > 0) || !(beta >= 0) || Double.isInfinite(minCutoff) || Double.isInfinite(beta)) {
            throw new CUNetException("smoothing: min_cutoff=" + minCutoff + " must be above 0 Hz, beta=" + beta
                    + " 0 or more.");
        }
        this.minCutoff = minCutoff;
        this.beta = beta;
    }

    /** Forget the past: the next frame is a first frame. */
    public void reset() {
        points = null;
    }

    /**
     * @param measured {@code [C][2]} in pixels
     * @param seconds of the frame, from any origin
     * @return smoothed points; the first frame comes back unchanged
     * @throws CUNetException time runs backwards, or another number of points, without {@link #reset}
     */
    public double[][] smooth(double[][] measured, double seconds) {
        if (points == null) {
            points = Affine.IDENTITY.apply(measured);
            velocity = new double[measured.length][2];
        } else if (measured.length != points.length) {
            throw new CUNetException(measured.length + " points after " + points.length + ": reset the filter first.");
        } else if (seconds < time) {
            throw new CUNetException("time stamp " + seconds + " s after " + time
                    + " s: reset the filter before going back.");
        } else if (seconds > time) {
            advance(measured, seconds - time);
        }
        time = seconds;
        return Affine.IDENTITY.apply(points);
    }

    private void advance(double[][] measured, double step) {
        double size = Math.max(1.0, Box.around(measured).longerSide());
        double keptSpeed = Math.exp(-2 * Math.PI * DERIVATIVE_CUTOFF * step);
        for (int i = 0; i < points.length; i++) {
            for (int k = 0; k < 2; k++) {
                double now = (measured[i][k] - points[i][k]) / step;
                velocity[i][k] = now + keptSpeed * (velocity[i][k] - now);
            }
            double speed = Math.sqrt(velocity[i][0] * velocity[i][0] + velocity[i][1] * velocity[i][1]) / size;
            double kept = Math.exp(-2 * Math.PI * (minCutoff + beta * speed) * step);
            for (int k = 0; k < 2; k++) {
                points[i][k] = measured[i][k] + kept * (points[i][k] - measured[i][k]);
            }
        }
    }
}
