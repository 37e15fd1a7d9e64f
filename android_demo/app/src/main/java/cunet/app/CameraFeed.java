package cunet.app;

import android.content.Context;
import android.graphics.ImageFormat;
import android.hardware.camera2.CameraAccessException;
import android.hardware.camera2.CameraCaptureSession;
import android.hardware.camera2.CameraCharacteristics;
import android.hardware.camera2.CameraDevice;
import android.hardware.camera2.CameraManager;
import android.hardware.camera2.CaptureRequest;
import android.hardware.camera2.params.StreamConfigurationMap;
import android.media.Image;
import android.media.ImageReader;
import android.os.Handler;
import android.util.Size;
import java.util.Collections;

/** One camera's frames, YUV_420_888 of about 640x480, on a handler's thread; only the newest one is kept. */
final class CameraFeed {
    private static final int SHORT_SIDE = 480;

    /** Called on the handler's thread. */
    interface Listener {
        /** The image is closed after the call. */
        void onFrame(Image image, int sensorOrientation, boolean front);

        void onFailure(String why);
    }

    private final CameraManager manager;
    private final Handler handler;
    private final Listener listener;
    private ImageReader reader;
    private CameraDevice device;
    private boolean wanted;

    CameraFeed(Context context, Handler handler, Listener listener) {
        manager = (CameraManager) context.getSystemService(Context.CAMERA_SERVICE);
        this.handler = handler;
        this.listener = listener;
    }

    /** Ids of all cameras; empty when there is none, or none that apps may use. */
    String[] ids() {
        try {
            return manager.getCameraIdList();
        } catch (CameraAccessException | IllegalArgumentException error) {
            return new String[0];
        }
    }

    /** Open a camera; on the handler's thread, with the permission granted. */
    void open(String id) {
        close();
        wanted = true;
        try {
            CameraCharacteristics facts = manager.getCameraCharacteristics(id);
            Integer facing = facts.get(CameraCharacteristics.LENS_FACING);
            Integer sensor = facts.get(CameraCharacteristics.SENSOR_ORIENTATION);
            boolean front = facing != null && facing == CameraCharacteristics.LENS_FACING_FRONT;
            Size size = size(facts.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP));
            reader = ImageReader.newInstance(size.getWidth(), size.getHeight(), ImageFormat.YUV_420_888, 2);
            reader.setOnImageAvailableListener(source -> deliver(source, sensor == null ? 0 : sensor, front), handler);
            manager.openCamera(id, opening, handler);
        } catch (CameraAccessException | SecurityException | IllegalArgumentException | IllegalStateException error) {
            fail(error.getMessage());
        }
    }

    /** The smallest size whose shorter side is at least 480, or the largest there is. */
    private static Size size(StreamConfigurationMap map) {
        Size[] sizes = map == null ? null : map.getOutputSizes(ImageFormat.YUV_420_888);
        if (sizes == null || sizes.length == 0) {
            throw new IllegalStateException("it has no YUV frames");
        }
        Size best = sizes[0];
        for (Size size : sizes) {
            boolean enough = shorter(size) >= SHORT_SIDE;
            boolean better = enough ? shorter(best) < SHORT_SIDE || area(size) < area(best)
                    : shorter(best) < SHORT_SIDE && area(size) > area(best);
            best = better ? size : best;
        }
        return best;
    }

    private static int shorter(Size size) {
        return Math.min(size.getWidth(), size.getHeight());
    }

    private static long area(Size size) {
        return (long) size.getWidth() * size.getHeight();
    }

    private void deliver(ImageReader source, int sensor, boolean front) {
        Image image = source.acquireLatestImage();
        if (image != null) {
            try {
                listener.onFrame(image, sensor, front);
            } finally {
                image.close();
            }
        }
    }

    private final CameraDevice.StateCallback opening = new CameraDevice.StateCallback() {
        @Override
        public void onOpened(CameraDevice camera) {
            if (!wanted || reader == null) {
                camera.close();  // the app left before the camera came
                return;
            }
            device = camera;
            start();
        }

        @Override
        public void onDisconnected(CameraDevice camera) {
            camera.close();
            fail("another app took it");
        }

        @Override
        public void onError(CameraDevice camera, int error) {
            camera.close();
            fail("error " + error);
        }
    };

    /** By the call whose successor needs Android 9. */
    private void start() {
        try {
            device.createCaptureSession(Collections.singletonList(reader.getSurface()),
                    new CameraCaptureSession.StateCallback() {
                @Override
                public void onConfigured(CameraCaptureSession session) {
                    repeat(session);
                }

                @Override
                public void onConfigureFailed(CameraCaptureSession session) {
                    fail("no session");
                }
            }, handler);
        } catch (CameraAccessException | IllegalStateException error) {
            fail(error.getMessage());
        }
    }

    private void repeat(CameraCaptureSession session) {
        if (device == null) {
            return;
        }
        try {
            CaptureRequest.Builder request = device.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW);
            request.addTarget(reader.getSurface());
            session.setRepeatingRequest(request.build(), null, handler);
        } catch (CameraAccessException | IllegalStateException error) {
            fail(error.getMessage());
        }
    }

    private void fail(String why) {
        close();
        listener.onFailure(why);
    }

    /** Let the camera go; on the handler's thread. */
    void close() {
        wanted = false;
        if (device != null) {
            device.close();
            device = null;
        }
        if (reader != null) {
            reader.close();
            reader = null;
        }
    }
}
