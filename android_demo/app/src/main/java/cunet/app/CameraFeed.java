package cunet.app;

import android.content.Context;
import android.graphics.ImageFormat;
import android.hardware.camera2.CameraAccessException;
import android.hardware.camera2.CameraCaptureSession;
import android.hardware.camera2.CameraDevice;
import android.hardware.camera2.CameraManager;
import android.hardware.camera2.CameraMetadata;
import android.hardware.camera2.CaptureRequest;
import android.media.Image;
import android.media.ImageReader;
import android.os.Handler;
import cunet.core.Box;
import java.util.Collections;

/** One camera's frames, YUV_420_888 of about 640x480, on a handler's thread; only the newest one is kept. */
final class CameraFeed {
    /** Called on the handler's thread. */
    interface Listener {
        /** The image is closed after the call. */
        void onFrame(Image image, CameraChoice camera);

        /** Faces that the camera sees, in pixels of its frames; empty where it sees none. */
        void onFaces(Box[] faces);

        /**
         * @param message a text's id, with a place for {@code why}
         * @param why for people who know cameras
         */
        void onFailure(int message, String why);
    }

    private final CameraManager manager;
    private final Handler handler;
    private final Listener listener;
    private Opening current;
    /** Which camera another app took, until it is free again. */
    private String taken;

    CameraFeed(Context context, Handler handler, Listener listener) {
        manager = (CameraManager) context.getSystemService(Context.CAMERA_SERVICE);
        this.handler = handler;
        this.listener = listener;
        manager.registerAvailabilityCallback(free, handler);
    }

    private final CameraManager.AvailabilityCallback free = new CameraManager.AvailabilityCallback() {
        @Override
        public void onCameraAvailable(String id) {
            if (id.equals(taken)) {
                open(id);
            }
        }
    };

    /** Ids of all cameras; empty when there is none, or none that apps may use. */
    String[] ids() {
        try {
            return manager.getCameraIdList();
        } catch (CameraAccessException | RuntimeException error) {
            return new String[0];
        }
    }

    /** Open a camera; on the handler's thread, with the permission granted. */
    void open(String id) {
        release();
        try {
            CameraChoice choice = new CameraChoice(manager.getCameraCharacteristics(id));
            if (choice.size == null) {
                listener.onFailure(R.string.no_yuv, "");
                return;
            }
            current = new Opening(id, choice);
            manager.openCamera(id, current, handler);
        } catch (CameraAccessException error) {
            boolean used = error.getReason() == CameraAccessException.CAMERA_IN_USE
                    || error.getReason() == CameraAccessException.MAX_CAMERAS_IN_USE;
            if (used) {
                await(id);
            } else {
                fail(R.string.camera_failed, error.getMessage());
            }
        } catch (RuntimeException error) {  // makers' services throw what they like
            fail(R.string.camera_failed, error.getMessage());
        }
    }

    /** One camera from opening to closing: what an old one still says finds itself replaced, and is not heard. */
    private final class Opening extends CameraDevice.StateCallback {
        private final String id;
        private final CameraChoice choice;
        private final ImageReader reader;
        private CameraDevice device;

        Opening(String id, CameraChoice choice) {
            this.id = id;
            this.choice = choice;
            reader = ImageReader.newInstance(choice.size.getWidth(), choice.size.getHeight(),
                    ImageFormat.YUV_420_888, 2);
            reader.setOnImageAvailableListener(this::deliver, handler);
        }

        private boolean replaced() {
            return current != this;
        }

        private void deliver(ImageReader source) {
            Image image = null;
            try {
                image = replaced() ? null : source.acquireLatestImage();
            } catch (RuntimeException error) {  // frames in another format than asked for, on some old devices
                fail(R.string.camera_stopped, error.getMessage());
            }
            if (image != null) {
                try {
                    listener.onFrame(image, choice);
                } finally {
                    image.close();
                }
            }
        }

        @Override
        public void onOpened(CameraDevice camera) {
            if (replaced()) {
                camera.close();  // the app left before the camera came
                return;
            }
            device = camera;
            try {  // by the call whose successor needs Android 9
                device.createCaptureSession(Collections.singletonList(reader.getSurface()), session, handler);
            } catch (CameraAccessException | RuntimeException error) {
                fail(R.string.camera_failed, error.getMessage());
            }
        }

        @Override
        public void onDisconnected(CameraDevice camera) {
            camera.close();
            if (!replaced()) {
                await(id);
            }
        }

        @Override
        public void onError(CameraDevice camera, int error) {
            camera.close();
            if (replaced()) {
                return;
            }
            if (error == ERROR_CAMERA_IN_USE || error == ERROR_MAX_CAMERAS_IN_USE) {
                await(id);
            } else {
                fail(R.string.camera_stopped, "error " + error);
            }
        }

        private final CameraCaptureSession.StateCallback session = new CameraCaptureSession.StateCallback() {
            @Override
            public void onConfigured(CameraCaptureSession made) {
                if (!replaced()) {
                    repeat(made);
                }
            }

            @Override
            public void onConfigureFailed(CameraCaptureSession made) {
                if (!replaced()) {
                    fail(R.string.camera_failed, "no session");
                }
            }
        };

        private void repeat(CameraCaptureSession made) {
            try {
                CaptureRequest.Builder request = device.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW);
                request.addTarget(reader.getSurface());
                if (choice.rate != null) {
                    request.set(CaptureRequest.CONTROL_AE_TARGET_FPS_RANGE, choice.rate);
                }
                boolean faces = choice.faces != CameraMetadata.STATISTICS_FACE_DETECT_MODE_OFF;
                if (faces) {
                    request.set(CaptureRequest.STATISTICS_FACE_DETECT_MODE, choice.faces);
                }
                made.setRepeatingRequest(request.build(),
                        faces ? new CameraFaces(choice, found -> told(found)) : null, handler);
            } catch (CameraAccessException | RuntimeException error) {
                fail(R.string.camera_failed, error.getMessage());
            }
        }

        private void told(Box[] faces) {
            if (!replaced()) {
                listener.onFaces(faces);
            }
        }

        void close() {
            if (device != null) {
                device.close();
                device = null;
            }
            reader.close();
        }
    }

    /** Another app has the camera: open it again when it is free. */
    private void await(String id) {
        fail(R.string.camera_taken, "");
        taken = id;
    }

    private void fail(int message, String why) {
        release();
        listener.onFailure(message, why);
    }

    private void release() {
        taken = null;
        if (current != null) {
            Opening closing = current;
            current = null;
            closing.close();
        }
    }

    /** Let the camera go for good; on the handler's thread. */
    void close() {
        manager.unregisterAvailabilityCallback(free);
        release();
    }
}
