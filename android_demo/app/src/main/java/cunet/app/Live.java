package cunet.app;

import android.content.Context;
import android.hardware.camera2.CameraMetadata;
import android.media.Image;
import android.os.Handler;
import android.os.HandlerThread;
import android.os.Looper;
import cunet.core.Box;
import cunet.core.CUNetException;
import cunet.core.Orientation;
import java.io.IOException;

/** A camera, a model and their thread, from resume to pause; answers come on the main thread. */
final class Live {
    /** On the main thread and never after {@link #close}, but for {@link #displayDegrees}. */
    interface Listener {
        /** By how much the screen is turned; asked on the camera's thread. */
        int displayDegrees();

        /**
         * @param ms milliseconds: frame to RGB, crop, network, points, and between frames
         * @param anywhere the camera looks for faces by itself
         */
        void onScene(Scene scene, double[] ms, boolean anywhere);

        /** One sentence; the thread goes on. */
        void onFailure(String why);

        /** The picture to share is written. */
        void onWritten();
    }

    private final Context context;
    private final Listener listener;
    private final HandlerThread thread = new HandlerThread("camera");
    private final Handler camera, main = new Handler(Looper.getMainLooper());
    private final CameraFeed feed;
    private final LiveAnalyzer analyzer = new LiveAnalyzer();
    private String loaded = "";
    private volatile boolean closed;

    Live(Context context, Listener listener) {
        this.context = context;
        this.listener = listener;
        thread.start();
        camera = new Handler(thread.getLooper());
        feed = new CameraFeed(context, camera, new Frames());
    }

    /** Ids of the cameras that apps may use. */
    String[] cameras() {
        return feed.ids();
    }

    void open(String id) {
        camera.post(() -> feed.open(id));
    }

    /** Take a model, loading it if it is another one; on the main thread. */
    void use(String model, int threads, boolean smooth) {
        boolean reload = !loaded.equals(model + threads);
        loaded = model + threads;
        camera.post(() -> {
            analyzer.smooth(smooth);
            if (!reload) {
                return;
            }
            try {
                analyzer.use(Models.load(context, model, threads));
            } catch (RuntimeException | OutOfMemoryError error) {
                analyzer.close();  // no frames, so that the message stays
                answer(() -> listener.onFailure(sentence(error)));
            }
        });
    }

    /** Search anew: in a box of upright pixels, or where the app thinks. */
    void restart(Box box) {
        camera.post(() -> analyzer.restart(box));
    }

    /** Write what is shown, for another app; between two frames, so that picture and points belong together. */
    void write() {
        camera.post(() -> {
            try {
                if (analyzer.last() != null) {
                    Sharing.write(context, analyzer.last());
                    answer(listener::onWritten);
                }
            } catch (IOException | RuntimeException | OutOfMemoryError error) {
                answer(() -> listener.onFailure(context.getString(R.string.not_shared, error.getMessage())));
            }
        });
    }

    private String sentence(Throwable error) {
        return error instanceof CUNetException ? error.getMessage() : context.getString(R.string.failed, error);
    }

    private void answer(Runnable telling) {
        main.post(() -> {
            if (!closed) {
                telling.run();
            }
        });
    }

    private final class Frames implements CameraFeed.Listener {
        @Override
        public void onFrame(Image image, CameraChoice from) {
            if (!analyzer.ready()) {
                return;
            }
            try {
                analyzer.finding(from.faces != CameraMetadata.STATISTICS_FACE_DETECT_MODE_OFF);
                // Asked for each frame: a turn by 180 degrees does not restart an activity.
                Scene scene = analyzer.analyze(image,
                        Orientation.ofCamera(from.sensor, listener.displayDegrees(), from.front));
                double[] ms = analyzer.millis.clone();
                boolean anywhere = analyzer.finds();
                answer(() -> listener.onScene(scene, ms, anywhere));
            } catch (RuntimeException | OutOfMemoryError error) {  // one frame; the next may be sound
                answer(() -> listener.onFailure(sentence(error)));
            }
        }

        @Override
        public void onFaces(Box[] faces) {
            analyzer.faces(faces);
        }

        @Override
        public void onFailure(int message, String why) {
            answer(() -> listener.onFailure(context.getString(message, why)));
        }
    }

    /** Let camera and model go. */
    void close() {
        closed = true;
        camera.post(() -> {
            feed.close();
            analyzer.close();
        });
        thread.quitSafely();
    }
}
