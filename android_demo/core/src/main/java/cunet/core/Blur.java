package cunet.core;

/** Gaussian smoothing of heat maps, as cv2.GaussianBlur does it on floats with BORDER_CONSTANT. */
final class Blur {
    private Blur() {}

    /** Weights that sum to 1, with OpenCV's length for floats: {@code round(8 sigma + 1) | 1}. */
    static float[] kernel(double sigma) {
        int length = (int) Math.rint(8 * sigma + 1) | 1;
        double[] weights = new double[length];
        double sum = 0;
        for (int i = 0; i < length; i++) {
            double x = i - (length - 1) / 2.0;
            weights[i] = Math.exp(-0.5 / (sigma * sigma) * x * x);
            sum += weights[i];
        }
        float[] kernel = new float[length];
        for (int i = 0; i < length; i++) {
            kernel[i] = (float) (weights[i] / sum);
        }
        return kernel;
    }

    /**
     * @param maps {@code [side, side, channels]}, zero outside
     * @return smoothed, of the same shape
     */
    static float[] gaussian(float[] maps, int side, int channels, double sigma) {
        float[] kernel = kernel(sigma);
        float[] across = along(maps, side, channels, kernel, channels, side * channels);
        return along(across, side, channels, kernel, side * channels, channels);
    }

    /** One direction: neighbours are {@code step} apart, lines start every {@code line}. */
    private static float[] along(float[] maps, int side, int channels, float[] kernel, int step, int line) {
        float[] out = new float[maps.length];
        int reach = kernel.length / 2;
        for (int row = 0; row < side; row++) {
            for (int i = 0; i < side; i++) {
                int target = row * line + i * step;
                int first = Math.max(-reach, -i);
                int last = Math.min(reach, side - 1 - i);
                for (int k = first; k <= last; k++) {
                    float weight = kernel[k + reach];
                    int source = target + k * step;
                    for (int c = 0; c < channels; c++) {
                        out[target + c] += weight * maps[source + c];
                    }
                }
            }
        }
        return out;
    }
}
