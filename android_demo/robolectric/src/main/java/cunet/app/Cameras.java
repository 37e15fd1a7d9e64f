package cunet.app;

import static org.robolectric.Shadows.shadowOf;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.ImageFormat;
import android.graphics.Rect;
import android.graphics.RectF;
import android.hardware.camera2.CameraCharacteristics;
import android.hardware.camera2.CameraManager;
import android.util.Range;
import android.util.Size;
import org.robolectric.shadows.ShadowCameraCharacteristics;
import org.robolectric.shadows.StreamConfigurationMapBuilder;

/** The cameras of the device under test, and what they see. */
final class Cameras {
    private static final int BLOB = 0x21;  // what JPEG files are to a camera
    private static final int WIDTH = 640;
    private static final int HEIGHT = 480;
    /** The face in the photograph, a square around it, in its pixels. */
    private static final Rect FACE = new Rect(112, 84, 214, 185);

    private Cameras() {}

    /** A back camera whose frames stand upright, with YUV frames or with JPEG files only. */
    static void add(String id, boolean yuv) {
        add(id, yuv, CameraCharacteristics.LENS_FACING_BACK, 0);
    }

    /** @param sensor by how many degrees its frames lie */
    static void add(String id, boolean yuv, int facing, int sensor) {
        CameraCharacteristics facts = ShadowCameraCharacteristics.newCameraCharacteristics();
        ShadowCameraCharacteristics shadow = shadowOf(facts);
        shadow.set(CameraCharacteristics.LENS_FACING, facing);
        shadow.set(CameraCharacteristics.SENSOR_ORIENTATION, sensor);
        StreamConfigurationMapBuilder map = StreamConfigurationMapBuilder.newBuilder();
        for (Size size : new Size[] {new Size(320, 240), new Size(WIDTH, HEIGHT), new Size(1920, 1080)}) {
            map.addOutputSize(yuv ? ImageFormat.YUV_420_888 : BLOB, size);
        }
        shadow.set(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP, map.build());
        shadow.set(CameraCharacteristics.SENSOR_INFO_ACTIVE_ARRAY_SIZE, new Rect(0, 0, 4000, 3000));
        @SuppressWarnings("unchecked")
        Range<Integer>[] rates = new Range[] {new Range<>(15, 15), new Range<>(30, 30), new Range<>(15, 30)};
        shadow.set(CameraCharacteristics.CONTROL_AE_AVAILABLE_TARGET_FPS_RANGES, rates);
        shadow.set(CameraCharacteristics.STATISTICS_INFO_AVAILABLE_FACE_DETECT_MODES, new int[] {0, 1});
        manager().addCamera(id, facts);
    }

    static org.robolectric.shadows.ShadowCameraManager manager() {
        return shadowOf((CameraManager) Phone.application().getSystemService(Context.CAMERA_SERVICE));
    }

    /** Where a sensor of 4000x3000 sees the face of {@link #view}. */
    static Rect onSensor(double x, double y, double side) {
        return new Rect((int) (4000 * (x - side / 2)), (int) (3000 * y - 2000 * side),
                (int) (4000 * (x + side / 2)), (int) (3000 * y + 2000 * side));
    }

    /** What Android's detector tells of that face: the eyes' middle and their distance, in shares of the width. */
    static double[] eyes(double x, double y, double side) {
        double apart = side / 2.28;
        return new double[] {x, y * HEIGHT / WIDTH - 0.72 * apart, apart};
    }

    /** The same of the photograph itself. */
    static double[] eyesInPhotograph() {
        double width = BitmapFactory.decodeFile(Phone.face().toString()).getWidth();
        double apart = FACE.width() / 2.28;
        return new double[] {FACE.exactCenterX() / width, (FACE.exactCenterY() - 0.72 * apart) / width, apart / width};
    }

    /** A grey wall of 640x480 with the photograph's face: its centre and side as shares of the sides and the width. */
    static Bitmap view(double x, double y, double side) {
        Bitmap photo = BitmapFactory.decodeFile(Phone.face().toString());
        Bitmap wall = Bitmap.createBitmap(WIDTH, HEIGHT, Bitmap.Config.ARGB_8888);
        Canvas canvas = new Canvas(wall);
        canvas.drawColor(Color.GRAY);
        float zoom = (float) (side * WIDTH / FACE.width());
        float left = (float) (x * WIDTH - zoom * FACE.exactCenterX());
        float top = (float) (y * HEIGHT - zoom * FACE.exactCenterY());
        canvas.drawBitmap(photo, null, new RectF(left, top, left + zoom * photo.getWidth(),
                top + zoom * photo.getHeight()), null);
        return wall;
    }
}
