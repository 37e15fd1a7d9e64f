package cunet.core;

/** Landmarks of one object. */
public final class Landmarks {
    /** {@code [C][2]}, (x, y) in upright picture pixels, centres on integers. */
    public final double[][] points;
    /** {@code [C]}, 0..1, heights of the heat-map peaks. */
    public final float[] scores;
    /** What was searched, before enlargement. */
    public final Box box;

    public Landmarks(double[][] points, float[] scores, Box box) {
        this.points = points;
        this.scores = scores;
        this.box = box;
    }

    /** Mean of the scores, 0..1. */
    public double meanScore() {
        double sum = 0;
        for (float score : scores) {
            sum += score;
        }
        return sum / scores.length;
    }

    /** The same scores and box with other points. */
    public Landmarks with(double[][] others) {
        return new Landmarks(others, scores, box);
    }
}
