package cunet.app;

import android.graphics.Bitmap;
import android.media.FaceDetector;
import org.robolectric.annotation.Implementation;
import org.robolectric.annotation.Implements;
import org.robolectric.annotation.Resetter;
import org.robolectric.shadow.api.Shadow;
import org.robolectric.util.ReflectionHelpers;

/** Android's face detector, whose library is not here: it finds what a test says. */
@SuppressWarnings("unused")  // arguments of what is played
@Implements(FaceDetector.class)
public class FacesShadow {
    /** Middle of the eyes and their distance, each as a share of the bitmap's width; {@code null} finds nothing. */
    static double[] face;
    static String asked;

    @Implementation
    protected void __constructor__(int width, int height, int most) {}

    @Implementation
    protected int findFaces(Bitmap bitmap, FaceDetector.Face[] faces) {
        asked = bitmap.getWidth() + "x" + bitmap.getHeight() + " " + bitmap.getConfig();
        if (face == null) {
            return 0;
        }
        FaceDetector.Face made = Shadow.newInstanceOf(FaceDetector.Face.class);
        ReflectionHelpers.setField(made, "mConfidence", 0.6f);
        ReflectionHelpers.setField(made, "mMidPointX", (float) (face[0] * bitmap.getWidth()));
        ReflectionHelpers.setField(made, "mMidPointY", (float) (face[1] * bitmap.getWidth()));
        ReflectionHelpers.setField(made, "mEyesDist", (float) (face[2] * bitmap.getWidth()));
        faces[0] = made;
        return 1;
    }

    @Resetter
    public static void reset() {
        face = null;
        asked = null;
    }
}
