package cunet.core;

/** The mean of the heat maps of two crops of the same box, the second turned a little; as cunet_tf.crops. */
final class Crops {
    /** Degrees by which the second view's roll is larger, clockwise as seen on the screen. */
    static final double TURN = 8;

    private Crops() {}

    /**
     * Average, in place, with the heat maps of the second crop, bilinear; cells that it does not reach stay as they are.
     *
     * @param maps {@code [side, side, channels]} of the first crop
     * @param turned the same of the second
     */
    static void average(float[] maps, float[] turned, int side, int channels) {
        Affine toTurned = Affine.crop(Box.whole(side, side), 1, side, TURN);
        float[] sum = new float[channels];
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                double atX = toTurned.a * x + toTurned.b * y + toTurned.c;
                double atY = toTurned.d * x + toTurned.e * y + toTurned.f;
                float inside = gather(turned, side, atX, atY, sum);
                int at = (y * side + x) * channels;
                for (int c = 0; c < channels; c++) {
                    maps[at + c] = (maps[at + c] + sum[c]) / (1f + inside);
                }
            }
        }
    }

    /** Bilinear values at a place, cells outside counting 0, into {@code sum}; returns the weight of the others. */
    private static float gather(float[] maps, int side, double atX, double atY, float[] sum) {
        java.util.Arrays.fill(sum, 0f);
        int left = (int) Math.floor(atX);
        int top = (int) Math.floor(atY);
        float inside = 0;
        for (int i = 0; i < 4; i++) {
            int x = left + i % 2;
            int y = top + i / 2;
            if (x < 0 || x >= side || y < 0 || y >= side) {
                continue;
            }
            float weight = (float) ((1 - Math.abs(atX - x)) * (1 - Math.abs(atY - y)));
            int from = (y * side + x) * sum.length;
            for (int c = 0; c < sum.length; c++) {
                sum[c] += weight * maps[from + c];
            }
            inside += weight;
        }
        return inside;
    }
}
