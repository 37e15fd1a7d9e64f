package cunet.core;

import java.util.Arrays;

/** How far a result can be trusted, the same as cunet_tf.confidence: the field {@code confidence} of a description. */
public final class Confidence {
    private static final String FEATURES = "[peak, low_peak, concentration, low_concentration, residual, modes, size, "
            + "size_squared, offset, roll, agreement]";
    private static final int ONE_LOOK = 10;
    private static final double NEAR = 2.5;  // heat-map pixels around a peak
    private static final double TINY = 1e-6;
    private static final double SCALE = 10000;  // shapes are stored as integers
    private static final double LIMIT = 50;

    /** Results below it are not found. */
    public final double threshold;
    /** Height of a peak from which a single point is sure. */
    public final double visible;

    private final double[] one, two, spread;
    private final double[][] mean, modes;

    /** @throws CUNetException other features than these, or parts that do not fit each other */
    Confidence(Fields fields, int landmarks) {
        threshold = fields.number("threshold");
        visible = fields.number("visible");
        one = fields.numbers("one");
        two = fields.numbers("two");
        Fields shape = fields.object("shape");
        spread = scaled(shape.numbers("spread"));
        mean = rows(scaled(shape.numbers("mean")), 2);
        modes = rows(scaled(shape.numbers("modes")), 2 * landmarks);
        if (!fields.list("features").toString().equals(FEATURES) || one.length != ONE_LOOK + 1
                || two.length != ONE_LOOK + 2 || mean.length != landmarks || modes.length != spread.length) {
            throw new CUNetException("cunet_spec.confidence: parts that do not fit each other: export the model again.");
        }
    }

    /**
     * 0..1.
     *
     * @param maps {@code [side, side, C]} of the last look
     * @param points {@code [C][2]} in its pixels
     * @param before the points of the look before in the same pixels, or {@code null}
     */
    double of(float[] maps, int side, double[][] points, float[] scores, double[][] before) {
        double[] weights = before == null ? one : two;
        double[] features = new double[weights.length - 1];
        peaks(maps, side, points, scores, features);
        shape(points, side, features);
        if (before != null) {
            features[ONE_LOOK] = agreement(before, points);
        }
        double sum = weights[0];
        for (int i = 0; i < features.length; i++) {
            sum += weights[i + 1] * features[i];
        }
        return 1 / (1 + Math.exp(-Math.max(-LIMIT, Math.min(LIMIT, sum))));
    }

    /** Degrees by which points are turned clockwise, as seen on the screen, against the mean shape. */
    double roll(double[][] points) {
        return new Aligned(points, mean).roll;
    }

    private static void peaks(float[] maps, int side, double[][] points, float[] scores, double[] features) {
        int channels = points.length;
        double[] heights = new double[channels];
        double[] shares = new double[channels];
        for (int c = 0; c < channels; c++) {
            double all = 0;
            double near = 0;
            for (int y = 0; y < side; y++) {
                for (int x = 0; x < side; x++) {
                    double value = Math.max(maps[(y * side + x) * channels + c], 0);
                    all += value;
                    if (Math.abs(x - points[c][0]) <= NEAR && Math.abs(y - points[c][1]) <= NEAR) {
                        near += value;
                    }
                }
            }
            heights[c] = scores[c];
            shares[c] = near / Math.max(all, TINY);
        }
        features[0] = Arrays.stream(heights).average().orElse(0);
        features[1] = lowerDecile(heights);
        features[2] = Arrays.stream(shares).average().orElse(0);
        features[3] = lowerDecile(shares);
    }

    private static double lowerDecile(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        double place = 0.1 * (sorted.length - 1);
        int low = (int) place;
        return sorted[low] + (place - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
    }

    private void shape(double[][] points, int side, double[] features) {
        Aligned aligned = new Aligned(points, mean);
        double[] rest = new double[2 * mean.length];
        for (int i = 0; i < rest.length; i++) {
            rest[i] = aligned.points[i / 2][i % 2] - mean[i / 2][i % 2];
        }
        double[] difference = rest.clone();
        double varied = 0;
        for (int k = 0; k < modes.length; k++) {
            double weight = 0;
            for (int i = 0; i < rest.length; i++) {
                weight += modes[k][i] * difference[i];
            }
            for (int i = 0; i < rest.length; i++) {
                rest[i] -= weight * modes[k][i];
            }
            varied += weight / spread[k] * (weight / spread[k]) / modes.length;
        }
        double squares = 0;
        for (double value : rest) {
            squares += value * value;
        }
        double size = Math.log(aligned.size / (side * Math.sqrt(points.length)));
        double middle = (side - 1) / 2.0;
        features[4] = Math.log(Math.sqrt(squares) + TINY);
        features[5] = Math.log(varied + TINY);
        features[6] = size;
        features[7] = size * size;
        features[8] = Math.hypot(aligned.x - middle, aligned.y - middle) / side;
        features[9] = Math.abs(aligned.roll) / 90;
    }

    private static double agreement(double[][] first, double[][] second) {
        double sum = 0;
        for (int i = 0; i < first.length; i++) {
            sum += Math.hypot(first[i][0] - second[i][0], first[i][1] - second[i][1]);
        }
        double extent = Math.max(Box.around(second).longerSide(), TINY);
        return Math.log(sum / first.length / extent + 1e-3);
    }

    /** The similarity that lays points over the mean shape by least squares. */
    private static final class Aligned {
        final double[][] points;
        final double x, y, size, roll;

        Aligned(double[][] given, double[][] mean) {
            double sumX = 0;
            double sumY = 0;
            for (double[] point : given) {
                sumX += point[0];
                sumY += point[1];
            }
            x = sumX / given.length;
            y = sumY / given.length;
            double cos = 0;
            double sin = 0;
            for (int i = 0; i < given.length; i++) {
                double dx = given[i][0] - x;
                double dy = given[i][1] - y;
                cos += dx * mean[i][0] + dy * mean[i][1];
                sin += dy * mean[i][0] - dx * mean[i][1];
            }
            size = Math.max(Math.hypot(cos, sin), TINY);
            roll = Math.toDegrees(Math.atan2(sin, cos));
            points = new double[given.length][];
            for (int i = 0; i < given.length; i++) {
                double dx = (given[i][0] - x) / size;
                double dy = (given[i][1] - y) / size;
                points[i] = new double[] {(dx * cos + dy * sin) / size, (dy * cos - dx * sin) / size};
            }
        }
    }

    private static double[] scaled(double[] integers) {
        double[] values = new double[integers.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = integers[i] / SCALE;
        }
        return values;
    }

    private static double[][] rows(double[] values, int length) {
        double[][] rows = new double[values.length / length][];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = Arrays.copyOfRange(values, i * length, (i + 1) * length);
        }
        return rows;
    }
}
