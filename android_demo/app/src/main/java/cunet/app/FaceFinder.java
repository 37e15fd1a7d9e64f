package cunet.app;

import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.graphics.PointF;
import android.graphics.Rect;
import android.media.FaceDetector;
import cunet.core.Box;
import cunet.core.FaceBoxes;
import java.util.Arrays;

/** Faces in a picture, by the detector that Android itself has; it knows upright faces seen from the front. */
final class FaceFinder {
    private static final int MOST = 16;
    private static final int LONGEST_SIDE = 1024;  // pixels; a face needs about 40 between the eyes' outer ends

    private FaceFinder() {}

    /** Tight boxes in the bitmap's pixels, centres on integers; empty where none is seen. */
    static Box[] find(Bitmap bitmap) {
        double zoom = Math.min(1.0, LONGEST_SIDE / (double) Math.max(bitmap.getWidth(), bitmap.getHeight()));
        int width = Math.max(2, (int) (zoom * bitmap.getWidth()) / 2 * 2);  // the detector refuses odd widths
        int height = Math.max(2, (int) (zoom * bitmap.getHeight()));
        Bitmap small = Bitmap.createBitmap(width, height, Bitmap.Config.RGB_565);  // and other configurations
        new Canvas(small).drawBitmap(bitmap, null, new Rect(0, 0, width, height), new Paint(Paint.FILTER_BITMAP_FLAG));
        FaceDetector.Face[] faces = new FaceDetector.Face[MOST];
        int count = new FaceDetector(width, height, MOST).findFaces(small, faces);
        small.recycle();
        double across = bitmap.getWidth() / (double) width;
        double down = bitmap.getHeight() / (double) height;
        Box[] boxes = new Box[count];
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (faces[i] != null && faces[i].eyesDistance() > 0) {
                PointF middle = new PointF();
                faces[i].getMidPoint(middle);
                boxes[kept++] = FaceBoxes.ofEyes(across * middle.x - 0.5, down * middle.y - 0.5,
                        across * faces[i].eyesDistance());
            }
        }
        return Arrays.copyOf(boxes, kept);
    }
}
