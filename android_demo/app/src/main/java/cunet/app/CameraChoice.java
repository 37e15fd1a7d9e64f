package cunet.app;

import android.graphics.ImageFormat;
import android.graphics.Rect;
import android.hardware.camera2.CameraCharacteristics;
import android.hardware.camera2.CameraMetadata;
import android.hardware.camera2.params.StreamConfigurationMap;
import android.util.Range;
import android.util.Size;
import cunet.core.Box;

/** What the app takes of that which a camera offers. */
final class CameraChoice {
    private static final int SHORT_SIDE = 480;
    private static final int FASTEST = 30;  // frames a second; more only heats

    /** Of the frames; {@code null} where the camera gives none in YUV. */
    final Size size;
    /** Frames a second; {@code null} where the camera names none. */
    final Range<Integer> rate;
    /** STATISTICS_FACE_DETECT_MODE, or off. */
    final int faces;
    /** All pixels of the sensor that count, from pixel corners; {@code null} where unknown. */
    final Box active;
    final boolean front;
    /** SENSOR_ORIENTATION, degrees. */
    final int sensor;

    CameraChoice(CameraCharacteristics facts) {
        Integer facing = facts.get(CameraCharacteristics.LENS_FACING);
        Integer turned = facts.get(CameraCharacteristics.SENSOR_ORIENTATION);
        front = facing != null && facing == CameraCharacteristics.LENS_FACING_FRONT;
        sensor = turned == null ? 0 : turned;
        StreamConfigurationMap map = facts.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP);
        size = size(map == null ? null : map.getOutputSizes(ImageFormat.YUV_420_888));
        rate = rate(facts.get(CameraCharacteristics.CONTROL_AE_AVAILABLE_TARGET_FPS_RANGES));
        Rect rect = facts.get(CameraCharacteristics.SENSOR_INFO_ACTIVE_ARRAY_SIZE);
        active = rect == null || rect.isEmpty() ? null : new Box(0, 0, rect.width(), rect.height());
        faces = active == null ? CameraMetadata.STATISTICS_FACE_DETECT_MODE_OFF
                : faces(facts.get(CameraCharacteristics.STATISTICS_INFO_AVAILABLE_FACE_DETECT_MODES));
    }

    /** The smallest size whose shorter side is at least 480, or the largest there is. */
    static Size size(Size[] sizes) {
        if (sizes == null || sizes.length == 0) {
            return null;
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

    /** The fastest of those up to 30 frames a second; of these the one that may slow down most, to see in the dark. */
    static Range<Integer> rate(Range<Integer>[] ranges) {
        Range<Integer> best = null;
        for (Range<Integer> range : ranges == null ? none() : ranges) {
            if (range.getUpper() > FASTEST) {
                continue;
            }
            int faster = best == null ? 1 : range.getUpper() - best.getUpper();
            best = faster > 0 || faster == 0 && range.getLower() < best.getLower() ? range : best;
        }
        return best;
    }

    @SuppressWarnings("unchecked")
    private static Range<Integer>[] none() {
        return new Range[0];
    }

    /** Rectangles are enough; some cameras have them only together with eyes and mouths. */
    private static int faces(int[] modes) {
        int best = CameraMetadata.STATISTICS_FACE_DETECT_MODE_OFF;
        for (int mode : modes == null ? new int[0] : modes) {
            boolean simple = mode == CameraMetadata.STATISTICS_FACE_DETECT_MODE_SIMPLE;
            best = simple || best == CameraMetadata.STATISTICS_FACE_DETECT_MODE_OFF ? mode : best;
        }
        return best;
    }

    private static int shorter(Size size) {
        return Math.min(size.getWidth(), size.getHeight());
    }

    private static long area(Size size) {
        return (long) size.getWidth() * size.getHeight();
    }
}
