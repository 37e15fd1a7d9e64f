package cunet.app;

import android.hardware.camera2.CaptureRequest;
import java.util.HashMap;
import java.util.Map;
import org.robolectric.annotation.Implementation;
import org.robolectric.annotation.Implements;

/** Keeps what the app asks of a camera; Robolectric's own request forgets it when it is built. */
@Implements(CaptureRequest.Builder.class)
public class RequestShadow {
    static final Map<CaptureRequest.Key<?>, Object> ASKED = new HashMap<>();

    @Implementation
    protected <T> void set(CaptureRequest.Key<T> key, T value) {
        ASKED.put(key, value);
    }
}
