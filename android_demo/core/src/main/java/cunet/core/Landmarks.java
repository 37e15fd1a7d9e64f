package cunet.core;

/** Landmarks of one object. */
public final class Landmarks {
    /** {@code [C][2]}, (x, y) in upright picture pixels, centres on integers. */
    public final double[][] points;
    /** {@code [C]}, 0..1, heights of the heat-map peaks. */
    public final float[] scores;
    /** What was searched, before enlargement. */
    public final Box box;
    /** Whose box that is: {@code "given"}, {@code "detector"} or {@code "whole picture"}. */
    public final String boxFrom;
    /** 0..1 by the model's own measure; NaN where it has none. */
    public final double confidence;
    /** The confidence reaches the threshold; true without a confidence. */
    public final boolean found;
    /** {@code [C]}, single points that are sure. */
    public final boolean[] visible;

    /** Landmarks of a model that has no measure of confidence. */
    public Landmarks(double[][] points, float[] scores, Box box) {
        this(points, scores, box, "given", Double.NaN, true, allTrue(points.length));
    }

    public Landmarks(double[][] points, float[] scores, Box box, String boxFrom, double confidence, boolean found,
            boolean[] visible) {
        this.points = points;
        this.scores = scores;
        this.box = box;
        this.boxFrom = boxFrom;
        this.confidence = confidence;
        this.found = found;
        this.visible = visible;
    }

    private static boolean[] allTrue(int count) {
        boolean[] all = new boolean[count];
        java.util.Arrays.fill(all, true);
        return all;
    }

    /** Mean of the scores, 0..1. */
    public double meanScore() {
        double sum = 0;
        for (float score : scores) {
            sum += score;
        }
        return sum / scores.length;
    }

    /** The confidence, or the mean score where the model has none. */
    public double trust() {
        return Double.isNaN(confidence) ? meanScore() : confidence;
    }

    /** The same result with other points. */
    public Landmarks with(double[][] others) {
        return new Landmarks(others, scores, box, boxFrom, confidence, found, visible);
    }
}
