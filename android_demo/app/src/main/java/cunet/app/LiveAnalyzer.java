package cunet.app;

import android.graphics.Bitmap;
import android.media.Image;
import cunet.core.Box;
import cunet.core.FaceBoxes;
import cunet.core.Landmarks;
import cunet.core.Localizer;
import cunet.core.OneEuroFilter;
import cunet.core.Orientation;
import cunet.core.Picture;
import cunet.core.Tracker;
import cunet.core.Yuv;

/** From camera frames to scenes; lives on the camera's thread. */
final class LiveAnalyzer {
    private static final double FACE_GUIDE = 0.6;  // of the frame's shorter side, both ways
    private static final double BODY_GUIDE = 0.9;  // of each side
    private static final double OLD = 0.9;  // weight of the past in the shown milliseconds

    private Localizer localizer;
    private boolean smoothing;
    private Tracker tracker;
    private Box chosen;
    private Box[] faces = new Box[0];  // in the frame's pixels, as the camera told them last
    private boolean finding;
    private Scene last;
    private Picture picture;
    private String place = "";
    private final Bitmap[] bitmaps = new Bitmap[2];
    private int turn;
    private long lastFrame;
    /** Milliseconds, smoothed: frame to RGB, crop, network, points, and between frames. */
    final double[] millis = new double[5];

    /** Take another model, closing the last one. */
    void use(Localizer next) {
        close();
        localizer = next;
        tracker = null;
    }

    void smooth(boolean on) {
        smoothing = on;
        tracker = null;
    }

    /**
     * Search anew.
     *
     * @param box where, in upright pixels, as long as the camera stays as it is; {@code null} takes the usual guide
     */
    void restart(Box box) {
        chosen = box;
        tracker = null;
    }

    /** Faces that the camera sees, in frame pixels; it tells them for each frame. */
    void faces(Box[] seen) {
        faces = seen;
    }

    /** Whether the camera looks for faces. */
    void finding(boolean on) {
        finding = on;
        faces = on ? faces : new Box[0];
    }

    /** The camera finds faces, and the model's landmarks are those of faces. */
    boolean finds() {
        return finding && localizer != null && localizer.spec.skeleton.name.startsWith("face");
    }

    /** What was shown last, or {@code null}. */
    Scene last() {
        return last;
    }

    boolean ready() {
        return localizer != null;
    }

    /** The next frame's scene; the bitmap is one of two that take turns. */
    Scene analyze(Image image, Orientation orientation) {
        long start = System.nanoTime();
        convert(image);
        turn ^= 1;
        bitmaps[turn] = Scene.bitmap(picture, bitmaps[turn]);
        double frameMillis = (System.nanoTime() - start) / 1e6;
        String now = orientation + " " + picture.width + "x" + picture.height;
        if (!now.equals(place)) {  // the phone was turned, or another camera taken
            restart(null);
            place = now;
        }
        Box guide = chosen == null ? guide(orientation) : chosen;
        Box face = chosen == null && finds() ? face(orientation) : null;
        boolean fresh = tracker == null || tracker.lost() && face != null;
        if (fresh) {
            OneEuroFilter filter = smoothing ? new OneEuroFilter(OneEuroFilter.MIN_CUTOFF, OneEuroFilter.BETA) : null;
            tracker = new Tracker(filter, face == null ? guide : face);
        }
        Landmarks found = fresh && face != null ? localizer.locateDetected(picture, orientation, face)
                : localizer.locate(picture, orientation, tracker.place());
        Landmarks shown = tracker.update(found, image.getTimestamp() / 1e9);
        count(frameMillis, localizer.cropMillis, localizer.networkMillis, localizer.decodeMillis,
                (start - lastFrame) / 1e6);
        lastFrame = start;
        boolean lost = tracker.lost();
        boolean anywhere = chosen == null && finds();
        last = new Scene(bitmaps[turn], orientation, lost ? null : shown, localizer.spec.skeleton,
                lost && !anywhere ? guide : null);
        return last;
    }

    /** The largest face that the camera sees, in upright pixels, or {@code null}. */
    private Box face(Orientation orientation) {
        int largest = FaceBoxes.largest(faces);
        return largest < 0 ? null
                : FaceBoxes.mapped(faces[largest], orientation.frameToUpright(picture.width, picture.height));
    }

    private void convert(Image image) {
        if (picture == null || picture.width != image.getWidth() || picture.height != image.getHeight()) {
            picture = new Picture(image.getWidth(), image.getHeight());
        }
        Image.Plane[] planes = image.getPlanes();
        Yuv.toPicture(plane(planes[0]), plane(planes[1]), plane(planes[2]), picture);
    }

    private static Yuv.Plane plane(Image.Plane plane) {
        return new Yuv.Plane(plane.getBuffer(), 0, plane.getRowStride(), plane.getPixelStride());
    }

    private Box guide(Orientation orientation) {
        int width = orientation.uprightWidth(picture.width, picture.height);
        int height = orientation.uprightHeight(picture.width, picture.height);
        boolean face = localizer.spec.skeleton.name.startsWith("face");
        double across = (face ? FACE_GUIDE * Math.min(width, height) : BODY_GUIDE * width) / 2;
        double down = (face ? FACE_GUIDE * Math.min(width, height) : BODY_GUIDE * height) / 2;
        double x = (width - 1) / 2.0;
        double y = (height - 1) / 2.0;
        return new Box(x - across, y - down, x + across, y + down);
    }

    private void count(double... now) {
        for (int i = 0; i < millis.length; i++) {
            millis[i] = millis[i] == 0 ? now[i] : OLD * millis[i] + (1 - OLD) * now[i];
        }
    }

    void close() {
        if (localizer != null) {
            localizer.close();
            localizer = null;
        }
    }
}
