package cunet.app;

import android.graphics.Bitmap;
import cunet.core.Affine;
import cunet.core.Box;
import cunet.core.Landmarks;
import cunet.core.Orientation;
import cunet.core.Picture;
import cunet.core.Skeleton;

/** One thing to show: a picture as it lies, how it lies, and what was found in it. Immutable but for the bitmap. */
final class Scene {
    final Bitmap bitmap;
    final Orientation orientation;
    /** Whether it was searched. */
    final boolean searched;
    /** In upright pixels; {@code null} when nothing was found or nothing searched yet. */
    final Landmarks landmarks;
    final Skeleton skeleton;
    /** Where to put the object, in upright pixels; {@code null} draws none. */
    final Box guide;

    Scene(Bitmap bitmap, Orientation orientation, Landmarks landmarks, Skeleton skeleton, Box guide) {
        this.bitmap = bitmap;
        this.orientation = orientation;
        this.landmarks = landmarks;
        this.skeleton = skeleton;
        this.guide = guide;
        searched = skeleton != null;
    }

    /** A picture that nobody searched yet. */
    Scene(Bitmap bitmap) {
        this(bitmap, new Orientation(0, false), null, null, null);
    }

    /** Whether the model's landmarks are those of a face. */
    boolean ofFace() {
        return skeleton.name.startsWith("face");
    }

    int uprightWidth() {
        return orientation.uprightWidth(bitmap.getWidth(), bitmap.getHeight());
    }

    int uprightHeight() {
        return orientation.uprightHeight(bitmap.getWidth(), bitmap.getHeight());
    }

    /** Upright pixels to pixels of a view. */
    Affine toView(int width, int height) {
        return orientation.uprightToView(bitmap.getWidth(), bitmap.getHeight(), width, height);
    }

    /** A bitmap with the picture's pixels, {@code reuse} if it has the same sides. */
    static Bitmap bitmap(Picture picture, Bitmap reuse) {
        boolean fits = reuse != null && reuse.getWidth() == picture.width && reuse.getHeight() == picture.height;
        Bitmap bitmap = fits ? reuse : Bitmap.createBitmap(picture.width, picture.height, Bitmap.Config.ARGB_8888);
        bitmap.setPixels(picture.argb, 0, picture.width, 0, 0, picture.width, picture.height);
        return bitmap;
    }
}
