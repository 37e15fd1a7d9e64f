package cunet.core;

/**
 * A 2x3 affine map of points (x, y), pixel centres on integers: {@code x' = a x + b y + c},
 * {@code y' = d x + e y + f}. Immutable.
 */
public final class Affine {
    /** Maps every point to itself. */
    public static final Affine IDENTITY = new Affine(1, 0, 0, 0, 1, 0);

    public final double a, b, c, d, e, f;

    /** The map of the two rows (a, b, c) and (d, e, f). */
    public Affine(double a, double b, double c, double d, double e, double f) {
        this.a = a;
        this.b = b;
        this.c = c;
        this.d = d;
        this.e = e;
        this.f = f;
    }

    /**
     * Picture pixels to pixels of the square crop around a box. The crop is centred on the box, its
     * side is {@code cropFactor} times the longer side of the box and becomes {@code size} pixels.
     *
     * @throws CUNetException the box has no extent
     */
    public static Affine crop(Box box, double cropFactor, int size) {
        return crop(box, cropFactor, size, 0);
    }

    /**
     * The same of an object that is turned, so that it stands upright in the crop.
     *
     * @param roll degrees clockwise about the box's centre, as seen on the screen
     * @throws CUNetException the box has no extent
     */
    static Affine crop(Box box, double cropFactor, int size, double roll) {
        double side = cropFactor * box.longerSide();
        if (!(side > 0) || Double.isInfinite(side)) {
            throw new CUNetException("box " + box + ": give x0,y0,x1,y1 with x0 < x1 and y0 < y1, in pixels.");
        }
        double zoom = size / side;
        double middle = (size - 1) / 2.0;
        double cos = zoom * Math.cos(Math.toRadians(roll));
        double sin = zoom * Math.sin(Math.toRadians(roll));
        return new Affine(cos, sin, middle - cos * box.centreX() - sin * box.centreY(),
                -sin, cos, middle + sin * box.centreX() - cos * box.centreY());
    }

    /** The map that applies {@code inner} first, then this one. */
    public Affine after(Affine inner) {
        return new Affine(
                a * inner.a + b * inner.d, a * inner.b + b * inner.e, a * inner.c + b * inner.f + c,
                d * inner.a + e * inner.d, d * inner.b + e * inner.e, d * inner.c + e * inner.f + f);
    }

    /**
     * The exact inverse, never rounded to whole pixels.
     *
     * @throws CUNetException the map is singular
     */
    public Affine inverse() {
        double determinant = determinant();
        if (determinant == 0 || Double.isNaN(determinant)) {
            throw new CUNetException("an affine map without an inverse: check the box and the sizes.");
        }
        double scale = 1.0 / determinant;
        double ia = e * scale;
        double ib = b * -scale;
        double id = d * -scale;
        double ie = a * scale;
        return new Affine(ia, ib, -ia * c - ib * f, id, ie, -id * c - ie * f);
    }

    /** The same map for coordinates that count from pixel corners, as a canvas does: centres lie at 0.5, 1.5, ... */
    public Affine onCorners() {
        return new Affine(a, b, c + 0.5 - 0.5 * (a + b), d, e, f + 0.5 - 0.5 * (d + e));
    }

    /** Signed area of the image of a unit square; negative when the map mirrors. */
    public double determinant() {
        return a * e - b * d;
    }

    /** Length of the image of a unit segment, for maps that keep angles. */
    public double zoom() {
        return Math.sqrt(Math.abs(determinant()));
    }

    /** @return new points {@code [C][2]} */
    public double[][] apply(double[][] points) {
        double[][] mapped = new double[points.length][];
        for (int i = 0; i < points.length; i++) {
            double x = points[i][0];
            double y = points[i][1];
            mapped[i] = new double[] {a * x + b * y + c, d * x + e * y + f};
        }
        return mapped;
    }
}
