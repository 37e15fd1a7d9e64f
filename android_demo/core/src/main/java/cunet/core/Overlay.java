package cunet.core;

/** What is drawn over a picture, as numbers: edges and points with their colours, in pixels of the view. */
public final class Overlay {
    /** {@code [edges][4]}: x0, y0, x1, y1. */
    public final float[][] lines;
    /** {@code [edges]}, {@code 0xFFRRGGBB}. */
    public final int[] lineColours;
    /** {@code [C][2]}: x, y. */
    public final float[][] dots;
    /** {@code [C]}, {@code 0xFFRRGGBB}. */
    public final int[] dotColours;
    /** Width of a line and radius of a dot, in pixels of the view. */
    public final float thickness;

    /**
     * @param points {@code [C][2]} in pixels of the upright picture
     * @param skeleton gives the edges
     * @param toView see {@link Orientation#uprightToView}
     */
    public Overlay(double[][] points, Skeleton skeleton, Affine toView) {
        double[][] placed = toView.apply(points);
        dots = new float[placed.length][];
        dotColours = new int[placed.length];
        for (int i = 0; i < placed.length; i++) {
            dots[i] = new float[] {(float) placed[i][0], (float) placed[i][1]};
            dotColours[i] = colour(i, placed.length);
        }
        lines = new float[skeleton.edges.length][];
        lineColours = new int[lines.length];
        for (int i = 0; i < lines.length; i++) {
            int[] edge = skeleton.edges[i];
            lines[i] = new float[] {dots[edge[0]][0], dots[edge[0]][1], dots[edge[1]][0], dots[edge[1]][1]};
            lineColours[i] = dotColours[edge[0]];
        }
        thickness = (float) Math.max(1.5, Box.around(placed).longerSide() / 200.0);
    }

    /** A bright hue for landmark {@code index} of {@code count}, from red over green and blue to violet. */
    static int colour(int index, int count) {
        double hue = 6.0 * 0.9 * index / Math.max(count - 1, 1);
        int colour = 0xFF;
        for (int shift = 0; shift < 3; shift++) {
            // Distance of the hue from red, green and blue on a circle of length 6.
            double apart = Math.abs((hue - 2.0 * shift + 9.0) % 6.0 - 3.0);
            double share = Math.max(0.0, Math.min(2.0 - apart, 1.0));
            colour = colour << 8 | (int) (255 * (1.0 - 0.85 * (1.0 - share)));
        }
        return colour;
    }
}
