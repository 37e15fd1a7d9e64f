package cunet.core;

/** Where Android's finders see faces, by numbers that follow from its documentation. */
final class FacesTest {
    private static final double TOLERANCE = 1e-9;

    private FacesTest() {}

    static void run(Check check) {
        check.test("faces: eyes", FacesTest::eyes);
        check.test("faces: empty boxes", FacesTest::refused);
        check.test("faces: sensor", FacesTest::sensor);
        check.test("faces: turned", FacesTest::turned);
    }

    private static void eyes() {
        Box box = FaceBoxes.ofEyes(100, 50, 10);
        near("eyes", box, 100 - 11.4, 57.2 - 11.4, 100 + 11.4, 57.2 + 11.4);
        near("square", FaceBoxes.square(new Box(0, 10, 20, 20)), 0, 5, 20, 25);
        Check.same(FaceBoxes.largest(new Box[] {new Box(0, 0, 3, 3), box}), 1);
        Check.same(FaceBoxes.largest(new Box[0]), -1);
    }

    private static void refused() throws Exception {
        Check.refused("distance above 0", () -> FaceBoxes.ofEyes(1, 1, 0));
        Check.refused("with extent", () -> FaceBoxes.sensorToFrame(new Box(5, 5, 5, 9), 640, 480));
    }

    /** A sensor of 4000x3000 gives 640x480 whole, and 1920x1080 without 375 rows above and below. */
    private static void sensor() {
        Box active = new Box(0, 0, 4000, 3000);
        Affine same = FaceBoxes.sensorToFrame(active, 640, 480);
        near("whole sensor", FaceBoxes.mapped(active, same), -0.5, -0.5, 639.5, 479.5);
        Affine wide = FaceBoxes.sensorToFrame(active, 1920, 1080);
        near("wider frame", FaceBoxes.mapped(new Box(0, 375, 4000, 2625), wide), -0.5, -0.5, 1919.5, 1079.5);
        Affine zoomed = FaceBoxes.sensorToFrame(new Box(1000, 750, 3000, 2250), 640, 480);
        near("zoomed", FaceBoxes.mapped(new Box(1000, 750, 2000, 1500), zoomed), -0.5, -0.5, 319.5, 239.5);
    }

    /** The upper left quarter of the sensor in all four turns; a mirrored view leaves upright pixels as they are. */
    private static void turned() {
        Box quarter = new Box(0, 0, 2000, 1500);
        Affine toFrame = FaceBoxes.sensorToFrame(new Box(0, 0, 4000, 3000), 640, 480);
        double[][] expected = {{-0.5, -0.5, 319.5, 239.5}, {239.5, -0.5, 479.5, 319.5}, {319.5, 239.5, 639.5, 479.5},
                {-0.5, 319.5, 239.5, 639.5}};
        for (int i = 0; i < 8; i++) {
            Orientation lies = new Orientation(90 * (i % 4), i >= 4);
            Box upright = FaceBoxes.mapped(quarter, lies.frameToUpright(640, 480).after(toFrame));
            double[] want = expected[i % 4];
            near("turned " + lies, upright, want[0], want[1], want[2], want[3]);
        }
    }

    private static void near(String name, Box box, double... want) {
        double apart = Math.max(Math.max(Math.abs(box.x0 - want[0]), Math.abs(box.y0 - want[1])),
                Math.max(Math.abs(box.x1 - want[2]), Math.abs(box.y1 - want[3])));
        Check.that(apart < TOLERANCE, name + " " + box);
    }
}
