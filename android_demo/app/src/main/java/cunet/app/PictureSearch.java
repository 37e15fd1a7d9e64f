package cunet.app;

import android.content.Context;
import android.graphics.Bitmap;
import android.net.Uri;
import android.os.Handler;
import android.os.HandlerThread;
import android.os.Looper;
import cunet.core.Box;
import cunet.core.CUNetException;
import cunet.core.FaceBoxes;
import cunet.core.Landmarks;
import cunet.core.Localizer;
import cunet.core.Orientation;
import cunet.core.Picture;
import java.io.IOException;

/** One picture and one model on a thread of their own; answers come on the main thread. */
final class PictureSearch {
    /** On the main thread, and never after {@link #close}. */
    interface Listener {
        /** Another picture is there, not searched yet. */
        void onPicture(Uri uri, Scene scene);

        /** It cannot be read; the picture before stays. */
        void onUnread(int why);

        void onFound(Scene scene, String stages);

        /** One sentence; the thread goes on. */
        void onFailure(String why);

        /** The picture to share is written. */
        void onWritten();
    }

    /** What to search: a model, and where. */
    static final class Wish {
        final String model;
        final int threads;
        /** In upright pixels; {@code null} leaves the place to the app. */
        final Box box;
        /** Without a box: the whole picture, even where a detector sees faces. */
        final boolean whole;

        Wish(String model, int threads, Box box, boolean whole) {
            this.model = model;
            this.threads = threads;
            this.box = box;
            this.whole = whole;
        }
    }

    private static final Orientation UPRIGHT = new Orientation(0, false);

    private final Context context;
    private final Listener listener;
    private final HandlerThread thread = new HandlerThread("picture");
    private final Handler worker, main = new Handler(Looper.getMainLooper());
    private volatile boolean closed;
    // Of the worker's thread.
    private Localizer localizer;
    private String loaded = "";
    private Picture picture;
    private Bitmap bitmap;
    private Box[] faces;
    private Scene shown;

    PictureSearch(Context context, Listener listener) {
        this.context = context;
        this.listener = listener;
        thread.start();
        worker = new Handler(thread.getLooper());
    }

    void open(Uri uri) {
        worker.post(() -> {
            try {
                Picture next = PictureLoader.load(context, uri);
                bitmap = Scene.bitmap(next, null);
                picture = next;
                faces = null;
                shown = new Scene(bitmap);
                Scene scene = shown;
                answer(() -> listener.onPicture(uri, scene));
            } catch (SecurityException error) {
                answer(() -> listener.onUnread(R.string.gone_picture));
            } catch (IOException | RuntimeException | OutOfMemoryError error) {
                answer(() -> listener.onUnread(R.string.bad_picture));
            }
        });
    }

    /** Find landmarks in the picture; nothing happens without one. */
    void search(Wish wish) {
        worker.post(() -> {
            if (picture == null) {
                return;
            }
            try {
                load(wish);
                show(wish, find(wish));
            } catch (CUNetException error) {
                answer(() -> listener.onFailure(error.getMessage()));
            } catch (RuntimeException | OutOfMemoryError error) {
                answer(() -> listener.onFailure(context.getString(R.string.failed, error)));
            }
        });
    }

    private void load(Wish wish) {
        if (localizer == null || !loaded.equals(wish.model + wish.threads)) {
            Localizer next = Models.load(context, wish.model, wish.threads);
            if (localizer != null) {
                localizer.close();
            }
            localizer = next;
            loaded = wish.model + wish.threads;
        }
    }

    /** Where the user says; else, of a face, where Android's detector sees the largest; else the whole picture. */
    private Landmarks find(Wish wish) {
        if (wish.box == null && !wish.whole && localizer.spec.skeleton.name.startsWith("face")) {
            faces = faces == null ? FaceFinder.find(bitmap) : faces;
            int largest = FaceBoxes.largest(faces);
            if (largest >= 0) {
                return localizer.locateDetected(picture, UPRIGHT, faces[largest]);
            }
        }
        return localizer.locate(picture, wish.box);
    }

    private void show(Wish wish, Landmarks found) {
        Scene scene = new Scene(bitmap, UPRIGHT, found, localizer.spec.skeleton, wish.box);
        shown = scene;
        String stages = context.getString(R.string.stages_picture, localizer.spec.name, localizer.cropMillis,
                localizer.networkMillis, localizer.decodeMillis, found.trust());
        answer(() -> listener.onFound(scene, stages));
    }

    /** Write what is shown, for another app. */
    void write() {
        worker.post(() -> {
            try {
                Sharing.write(context, shown);
                answer(listener::onWritten);
            } catch (IOException | RuntimeException | OutOfMemoryError error) {
                answer(() -> listener.onFailure(context.getString(R.string.not_shared, error.getMessage())));
            }
        });
    }

    private void answer(Runnable telling) {
        main.post(() -> {
            if (!closed) {
                telling.run();
            }
        });
    }

    void close() {
        closed = true;
        worker.post(() -> {
            if (localizer != null) {
                localizer.close();
            }
        });
        thread.quitSafely();
    }
}
