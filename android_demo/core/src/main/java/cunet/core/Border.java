package cunet.core;

/**
 * What the border of a heat map does to a Gaussian that is smoothed, the same as cunet_tf.border: factors that make
 * the maximum of the smoothed map the best fit again, and corrections of the step to it.
 */
final class Border {
    private static final double NARROWEST = 0.7;  // sigma; below it nothing is set right
    private static final int FINE = 32;  // steps of the table a cell
    private static final double FARTHEST = 1.25;  // cells from the highest cell to a centre that the table knows

    private static volatile Border last;  // of the model at hand, which seldom changes

    private final double sigma;
    private final int side;
    private final double[][] corrections;
    private final double[] weights;  // along one axis, from one cell outside to one cell outside
    /** Cells by which the maximum of the smoothed map may lie too far inside. */
    final int pull;

    private Border(double sigma, int side) {
        this.sigma = sigma;
        this.side = side;
        pull = (int) Math.ceil(sigma / 1.5);
        weights = new double[side + 2];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = 1 / Math.sqrt(share(i - 1));
        }
        corrections = new double[side][2 * FINE + 1];
        for (int cell = 0; cell < Math.min(side, reach()); cell++) {
            double[] low = row(cell);
            for (int i = 0; i < low.length; i++) {
                corrections[cell][i] = low[i];
                corrections[side - 1 - cell][i] = -low[low.length - 1 - i];  // the other border is the mirror image
            }
        }
    }

    static Border of(double sigma, int side) {
        Border known = last;
        if (known == null || known.sigma != sigma || known.side != side) {
            known = new Border(sigma, side);
            last = known;
        }
        return known;
    }

    /** Factor of the smoothed map, -1 to {@code side} in x and y. */
    float weight(int x, int y) {
        return (float) (weights[y + 1] * weights[x + 1]);
    }

    /** A step of -1 to 1 from the highest cell with its correction, linear between those of the table. */
    double corrected(double step, int cell) {
        double place = (step + 1) * FINE;
        int before = Math.min((int) place, 2 * FINE - 1);
        double[] row = corrections[cell];
        return step + row[before] + (place - before) * (row[before + 1] - row[before]);
    }

    /** Cells from the border, or beyond it, past which nothing of a Gaussian on the other side matters. */
    private int reach() {
        return (int) Math.ceil(6 * sigma) + 2;
    }

    /** Share of {@code exp(-(t - at)^2 / sigma^2)}, summed over whole t, that falls on the cells of the map. */
    private double share(double at) {
        if (sigma < NARROWEST) {
            return 1;
        }
        double inside = 0;
        double all = 0;
        int beyond = reach();
        for (int t = -beyond; t < side + beyond; t++) {
            double off = (t - at) / sigma;
            double part = Math.exp(-(off * off));
            all += part;
            inside += t >= 0 && t < side ? part : 0;
        }
        return inside / all;
    }

    /** Corrections of one highest cell for steps -1 to 1: offsets of the centre less the steps that they give. */
    private double[] row(int cell) {
        int count = (int) (2 * FARTHEST * FINE) + 1;
        double[] offsets = new double[count];
        double[] steps = new double[count];
        for (int i = 0; i < count; i++) {
            offsets[i] = (double) i / FINE - FARTHEST;
            double below = logFit(cell - 1, cell + offsets[i]);
            double middle = logFit(cell, cell + offsets[i]);
            double above = logFit(cell + 1, cell + offsets[i]);
            double step = (above - below) / 2 / (2 * middle - below - above);
            steps[i] = i == 0 ? step : Math.max(step, steps[i - 1]);
        }
        double[] row = new double[2 * FINE + 1];
        for (int i = 0; i < row.length; i++) {
            double step = (double) i / FINE - 1;
            row[i] = interpolated(step, steps, offsets) - step;
        }
        return row;
    }

    /** Logarithm of the fit at x of a perfect Gaussian around {@code centre}. */
    private double logFit(int x, double centre) {
        double off = x - centre;
        return -(off * off) / (4 * sigma * sigma) + Math.log(share((x + centre) / 2)) + Math.log(weights[x + 1]);
    }

    /** As numpy.interp: linear, constant beyond the ends. */
    private static double interpolated(double at, double[] places, double[] values) {
        int last = places.length - 1;
        if (at >= places[last]) {
            return values[last];
        }
        if (at <= places[0]) {
            return values[0];
        }
        int after = 1;
        while (places[after] <= at) {
            after++;
        }
        double part = (at - places[after - 1]) / (places[after] - places[after - 1]);
        return values[after - 1] + part * (values[after] - values[after - 1]);
    }
}
