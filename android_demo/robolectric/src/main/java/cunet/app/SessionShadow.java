package cunet.app;

import android.graphics.Rect;
import android.hardware.camera2.CameraCaptureSession;
import android.hardware.camera2.CaptureRequest;
import android.hardware.camera2.CaptureResult;
import android.hardware.camera2.TotalCaptureResult;
import android.hardware.camera2.impl.CameraCaptureSessionImpl;
import android.hardware.camera2.params.Face;
import android.os.Handler;
import org.robolectric.annotation.Implementation;
import org.robolectric.annotation.Implements;
import org.robolectric.annotation.Resetter;
import org.robolectric.shadow.api.Shadow;
import org.robolectric.shadows.ShadowCaptureResult;
import org.robolectric.shadows.ShadowTotalCaptureResult;

/** A camera's session: keeps what the app asked for, and tells it which faces the camera sees. */
@Implements(CameraCaptureSessionImpl.class)
public class SessionShadow {
    static CaptureRequest request;
    private static volatile CameraCaptureSession.CaptureCallback callback;
    private static volatile Handler handler;

    @Implementation
    protected int setRepeatingRequest(CaptureRequest asked, CameraCaptureSession.CaptureCallback to, Handler on) {
        request = asked;
        handler = on;
        callback = to;
        return 1;
    }

    @Implementation
    protected void close() {}

    /** What the system tells of a camera comes on the camera's own thread. */
    static void tell(Runnable what) {
        Phone.await("the camera's session", () -> handler != null);
        handler.post(what);
        Phone.rest(50);
    }

    /** The camera sees faces, in pixels of its sensor. */
    static void see(Rect... bounds) {
        Phone.await("the camera's session", () -> callback != null);
        Face[] faces = new Face[bounds.length];
        for (int i = 0; i < faces.length; i++) {
            faces[i] = new Face(bounds[i], 80);
        }
        TotalCaptureResult result = ShadowTotalCaptureResult.newTotalCaptureResult();
        ShadowCaptureResult shadow = Shadow.extract(result);
        shadow.set(CaptureResult.STATISTICS_FACES, faces);
        shadow.set(CaptureResult.SCALER_CROP_REGION, new Rect(0, 0, 4000, 3000));
        handler.post(() -> callback.onCaptureCompleted(null, request, result));
    }

    @Resetter
    public static void reset() {
        request = null;
        handler = null;
        callback = null;
    }
}
