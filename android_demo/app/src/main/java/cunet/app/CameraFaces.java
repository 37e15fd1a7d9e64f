package cunet.app;

import android.graphics.Rect;
import android.hardware.camera2.CameraCaptureSession;
import android.hardware.camera2.CaptureRequest;
import android.hardware.camera2.CaptureResult;
import android.hardware.camera2.TotalCaptureResult;
import android.hardware.camera2.params.Face;
import cunet.core.Affine;
import cunet.core.Box;
import cunet.core.FaceBoxes;

/** Reads from each frame's result where the camera sees faces, and maps them from the sensor to the frame. */
final class CameraFaces extends CameraCaptureSession.CaptureCallback {
    /** Hears of each result. */
    interface Listener {
        /** Squares in frame pixels, centres on integers; empty where the camera sees none. */
        void onFaces(Box[] faces);
    }

    private final CameraChoice camera;
    private final Listener listener;

    CameraFaces(CameraChoice camera, Listener listener) {
        this.camera = camera;
        this.listener = listener;
    }

    @Override
    public void onCaptureCompleted(CameraCaptureSession session, CaptureRequest request, TotalCaptureResult result) {
        listener.onFaces(read(result));
    }

    /** By what a result says of its crop region, or with all of the sensor. */
    Box[] read(CaptureResult result) {
        Face[] faces = result.get(CaptureResult.STATISTICS_FACES);
        if (faces == null || faces.length == 0) {
            return new Box[0];
        }
        Rect crop = result.get(CaptureResult.SCALER_CROP_REGION);
        Affine toFrame = FaceBoxes.sensorToFrame(crop == null || crop.isEmpty() ? camera.active : box(crop),
                camera.size.getWidth(), camera.size.getHeight());
        Box[] boxes = new Box[faces.length];
        for (int i = 0; i < faces.length; i++) {
            boxes[i] = FaceBoxes.square(FaceBoxes.mapped(box(faces[i].getBounds()), toFrame));
        }
        return boxes;
    }

    private static Box box(Rect rect) {
        return new Box(rect.left, rect.top, rect.right, rect.bottom);
    }
}
