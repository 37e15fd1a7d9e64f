package cunet.core;

/** Where to look: a tight box in upright pixels before it was turned, its enlargement, and the object's roll. */
final class View {
    final Box box;
    final double factor;
    /** Degrees by which the object is turned clockwise about the box's centre, as seen on the screen. */
    final double roll;

    View(Box box, double factor, double roll) {
        this.box = box;
        this.factor = factor;
        this.roll = roll;
    }

    /** The view in the tight box of points, turned upright by {@code roll}. */
    static View around(double[][] points, double factor, double roll) {
        Affine turn = Affine.crop(new Box(-0.5, -0.5, 0.5, 0.5), 1, 1, roll);
        Box tight = Box.around(turn.apply(points));
        double[] centre = turn.inverse().apply(new double[][] {{tight.centreX(), tight.centreY()}})[0];
        double x = (tight.x1 - tight.x0) / 2;
        double y = (tight.y1 - tight.y0) / 2;
        return new View(new Box(centre[0] - x, centre[1] - y, centre[0] + x, centre[1] + y), factor, roll);
    }
}
