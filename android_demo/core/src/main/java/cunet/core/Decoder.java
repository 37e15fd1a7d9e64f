package cunet.core;

/**
 * Heat maps to points, the same as cunet_tf.heatmaps.decode: {@code argmax}; {@code quarter}, a quarter pixel
 * toward the higher neighbour; {@code dark}, the maximum of a local quadratic fit to the logarithm of the
 * smoothed map (Zhang et al., CVPR 2020).
 */
public enum Decoder {
    ARGMAX, QUARTER, DARK;

    private static final double FLOOR = 1e-6;  // of what goes into the logarithm
    private static final double FLATTEST = 1e-9;  // determinant below which there is no peak to refine

    /** @throws CUNetException a name that is none of the three */
    public static Decoder named(String name) {
        for (Decoder decoder : values()) {
            if (decoder.name().equalsIgnoreCase(name)) {
                return decoder;
            }
        }
        throw new CUNetException("decoder " + name + ": this program knows argmax, quarter and dark.");
    }

    /**
     * @param maps {@code [side, side, channels]}
     * @param sigma of the training targets, in heat-map pixels; sets the smoothing of {@code dark}
     * @return points {@code [channels][2]} in heat-map pixels, centres on integers
     */
    public double[][] points(float[] maps, int side, int channels, double sigma) {
        Maps seen = new Maps(maps, side, channels);
        if (this == DARK) {
            return dark(seen, sigma);
        }
        double[][] points = new double[channels][];
        for (int c = 0; c < channels; c++) {
            int peak = seen.peak(c);
            int x = peak % side;
            int y = peak / side;
            points[c] = this == QUARTER ? quarter(seen, x, y, c) : new double[] {x, y};
        }
        return points;
    }

    /** Heights of the peaks, clipped to 0..1, {@code [channels]}. */
    public static float[] scores(float[] maps, int side, int channels) {
        Maps seen = new Maps(maps, side, channels);
        float[] scores = new float[channels];
        for (int c = 0; c < channels; c++) {
            scores[c] = Math.max(0f, Math.min(1f, maps[seen.peak(c) * channels + c]));
        }
        return scores;
    }

    /** A peak on the border has no neighbour across it and stays there. */
    private static double[] quarter(Maps maps, int x, int y, int c) {
        int last = maps.side - 1;
        double dx = x == 0 || x == last ? 0 : Math.signum(maps.at(x + 1, y, c) - maps.at(x - 1, y, c));
        double dy = y == 0 || y == last ? 0 : Math.signum(maps.at(x, y + 1, c) - maps.at(x, y - 1, c));
        return new double[] {x + 0.25 * dx, y + 0.25 * dy};
    }

    /** The fit of a Gaussian to the map, see {@link Border}, and a Newton step on its logarithm. */
    private static double[][] dark(Maps maps, double sigma) {
        int side = maps.side;
        int channels = maps.channels;
        Border border = Border.of(sigma, side);
        float[] smooth = Blur.gaussian(padded(maps), side + 2, channels, sigma);
        Maps smoothed = new Maps(smooth, side + 2, channels);
        double[][] points = new double[channels][];
        for (int c = 0; c < channels; c++) {
            int peak = bestFit(smoothed, border, c);
            int x = peak % side;
            int y = peak / side;
            double[] step = newton(smoothed, border, x, y, c);
            points[c] = step == null ? new double[] {x, y} : new double[] {
                Math.max(-0.5, Math.min(side - 0.5, x + border.corrected(step[0], x))),
                Math.max(-0.5, Math.min(side - 0.5, y + border.corrected(step[1], y)))};
        }
        return points;
    }

    /** Index {@code y * side + x} of the best fit about the maximum of the smoothed map. */
    private static int bestFit(Maps smooth, Border border, int c) {
        int side = smooth.side - 2;
        int peak = smooth.innerPeak(c);
        int x = peak % smooth.side - 1;
        int y = peak / smooth.side - 1;
        int best = y * side + x;
        float highest = Float.NEGATIVE_INFINITY;
        for (int v = Math.max(0, y - border.pull); v <= Math.min(side - 1, y + border.pull); v++) {
            for (int u = Math.max(0, x - border.pull); u <= Math.min(side - 1, x + border.pull); u++) {
                float fit = smooth.at(u + 1, v + 1, c) * border.weight(u, v);
                if (fit > highest) {
                    highest = fit;
                    best = v * side + u;
                }
            }
        }
        return best;
    }

    /** One cell of zeros around, so that the smoothed map has values outside of a peak on the border. */
    private static float[] padded(Maps maps) {
        int row = maps.side * maps.channels;
        float[] padded = new float[(maps.side + 2) * (maps.side + 2) * maps.channels];
        for (int y = 0; y < maps.side; y++) {
            System.arraycopy(maps.values, y * row, padded, ((y + 1) * (maps.side + 2) + 1) * maps.channels, row);
        }
        return padded;
    }

    /** Newton step (x, y) on the logarithm, at most one pixel each; null where there is no peak. */
    private static double[] newton(Maps smooth, Border border, int x, int y, int c) {
        double[][] p = new double[3][3];
        for (int v = 0; v < 3; v++) {
            for (int u = 0; u < 3; u++) {
                float fit = smooth.at(x + u, y + v, c) * border.weight(x + u - 1, y + v - 1);
                p[v][u] = Math.log(Math.max(fit, FLOOR));
            }
        }
        double dx = (p[1][2] - p[1][0]) / 2;
        double dy = (p[2][1] - p[0][1]) / 2;
        double dxx = p[1][2] - 2 * p[1][1] + p[1][0];
        double dyy = p[2][1] - 2 * p[1][1] + p[0][1];
        double dxy = (p[2][2] - p[2][0] - p[0][2] + p[0][0]) / 4;
        double determinant = dxx * dyy - dxy * dxy;
        if (!(determinant > FLATTEST && dxx < 0)) {
            return null;
        }
        return new double[] {clip(-(dyy * dx - dxy * dy) / determinant), clip(-(dxx * dy - dxy * dx) / determinant)};
    }

    private static double clip(double step) {
        return Math.max(-1.0, Math.min(1.0, step));
    }

    /** A view of {@code [side, side, channels]}. */
    private static final class Maps {
        final float[] values;
        final int side, channels;

        Maps(float[] values, int side, int channels) {
            if (side < 3 || values.length != (long) side * side * channels) {
                throw new CUNetException("heat maps: " + values.length + " values for " + side + "x" + side + "x"
                        + channels + ", at least 3x3 each.");
            }
            this.values = values;
            this.side = side;
            this.channels = channels;
        }

        float at(int x, int y, int c) {
            return values[(y * side + x) * channels + c];
        }

        /** Index {@code y * side + x} of the maximum, the first one in row order. */
        int peak(int c) {
            return peak(c, 0);
        }

        /** The same of all but the outermost cells. */
        int innerPeak(int c) {
            return peak(c, 1);
        }

        private int peak(int c, int margin) {
            int best = margin * side + margin;
            for (int y = margin; y < side - margin; y++) {
                for (int x = margin; x < side - margin; x++) {
                    if (at(x, y, c) > values[best * channels + c]) {
                        best = y * side + x;
                    }
                }
            }
            return best;
        }
    }
}
