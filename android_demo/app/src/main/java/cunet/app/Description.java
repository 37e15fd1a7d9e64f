package cunet.app;

import android.content.res.Resources;
import cunet.core.Box;

/** What a picture shows, in words, for people who do not see it. */
final class Description {
    private Description() {}

    /** "68 landmarks of a face, in the middle, confidence 90 percent"; the place is where people see it. */
    static String of(Resources words, Scene scene) {
        if (scene == null || !scene.searched) {
            return words.getString(R.string.described_empty);
        }
        if (scene.landmarks == null || !scene.landmarks.found) {
            return words.getString(R.string.described_lost);
        }
        int count = scene.landmarks.points.length;
        return words.getQuantityString(R.plurals.described, count, count, words.getString(object(scene)),
                place(words, scene), 10 * (int) (10 * scene.landmarks.trust()));  // in tens: not a text for each frame
    }

    private static int object(Scene scene) {
        if (scene.ofFace()) {
            return R.string.a_face;
        }
        String kind = scene.skeleton.name;
        return kind.startsWith("lsp") || kind.startsWith("mpii") ? R.string.a_person : R.string.an_object;
    }

    private static String place(Resources words, Scene scene) {
        int width = scene.uprightWidth();
        int height = scene.uprightHeight();
        Box seen = Box.around(scene.toView(width, height).apply(scene.landmarks.points));
        return words.getStringArray(R.array.places)[3 * third(seen.centreY(), height) + third(seen.centreX(), width)];
    }

    private static int third(double at, int side) {
        return (int) Math.max(0, Math.min(2, 3 * at / side));
    }
}
