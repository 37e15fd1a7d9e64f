package cunet.core;

import java.util.Locale;

/** An upright box in picture pixels, centres on integers: a picture of width w spans x = -0.5 .. w - 0.5. */
public final class Box {
    public final double x0, y0, x1, y1;

    /** The box between two corners. */
    public Box(double x0, double y0, double x1, double y1) {
        this.x0 = x0;
        this.y0 = y0;
        this.x1 = x1;
        this.y1 = y1;
    }

    /** The box that covers every pixel of a picture. */
    public static Box whole(int width, int height) {
        return new Box(-0.5, -0.5, width - 0.5, height - 0.5);
    }

    /** The smallest box around points {@code [C][2]}. */
    public static Box around(double[][] points) {
        double x0 = points[0][0];
        double y0 = points[0][1];
        double x1 = x0;
        double y1 = y0;
        for (double[] point : points) {
            x0 = Math.min(x0, point[0]);
            y0 = Math.min(y0, point[1]);
            x1 = Math.max(x1, point[0]);
            y1 = Math.max(y1, point[1]);
        }
        return new Box(x0, y0, x1, y1);
    }

    public double centreX() {
        return (x0 + x1) / 2.0;
    }

    public double centreY() {
        return (y0 + y1) / 2.0;
    }

    /** In pixels. */
    public double longerSide() {
        return Math.max(x1 - x0, y1 - y0);
    }

    /** Corners clockwise from the upper left, {@code [4][2]}. */
    public double[][] corners() {
        return new double[][] {{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}};
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%.1f,%.1f,%.1f,%.1f", x0, y0, x1, y1);
    }
}
