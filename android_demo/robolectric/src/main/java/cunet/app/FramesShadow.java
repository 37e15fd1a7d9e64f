package cunet.app;

import android.graphics.SurfaceTexture;
import android.media.Image;
import android.media.ImageReader;
import android.os.Handler;
import android.view.Surface;
import java.util.ArrayList;
import java.util.List;
import org.robolectric.annotation.Implementation;
import org.robolectric.annotation.Implements;
import org.robolectric.annotation.Resetter;
import org.robolectric.shadow.api.Shadow;

/** An image reader into which a test puts the camera's frames. */
@SuppressWarnings("unused")  // arguments of what is played
@Implements(ImageReader.class)
public class FramesShadow {
    static final List<FramesShadow> OPEN = new ArrayList<>();

    private ImageReader.OnImageAvailableListener listener;
    private Handler handler;
    private Image next;
    private final Surface surface = new Surface(new SurfaceTexture(1));
    private ImageReader reader;
    private int width, height;

    @Implementation
    protected static ImageReader newInstance(int width, int height, int format, int most) {
        ImageReader reader = Shadow.newInstanceOf(ImageReader.class);
        FramesShadow shadow = Shadow.extract(reader);
        shadow.reader = reader;
        shadow.width = width;
        shadow.height = height;
        OPEN.add(shadow);
        return reader;
    }

    /** The camera that is open delivers a frame. */
    static void deliver(FakeFrame frame) {
        FramesShadow last = OPEN.get(OPEN.size() - 1);
        last.handler.post(() -> {
            last.next = frame;
            last.listener.onImageAvailable(last.reader);
        });
    }

    /** Sides of the frames that the app asked for. */
    static String sides() {
        FramesShadow last = OPEN.get(OPEN.size() - 1);
        return last.width + "x" + last.height;
    }

    @Implementation
    protected void setOnImageAvailableListener(ImageReader.OnImageAvailableListener to, Handler on) {
        listener = to;
        handler = on;
    }

    @Implementation
    protected Image acquireLatestImage() {
        Image taken = next;
        next = null;
        return taken;
    }

    @Implementation
    protected Surface getSurface() {
        return surface;
    }

    @Implementation
    protected void close() {
        OPEN.remove(this);
    }

    @Implementation
    protected void finalize() {}

    @Resetter
    public static void reset() {
        OPEN.clear();
    }
}
