package cunet.app;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.Manifest;
import android.app.Activity;
import android.content.pm.PackageManager;
import android.view.View;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.android.controller.ActivityController;

/** The live view: permission, cameras that fail, pause and resume. */
@RunWith(RobolectricTestRunner.class)
public final class CameraTest {
    private static ActivityController<CameraActivity> start() {
        return Robolectric.buildActivity(CameraActivity.class).setup();
    }

    private static void granted() {
        shadowOf(Phone.application()).grantPermissions(Manifest.permission.CAMERA);
    }

    private static void deny(ActivityController<CameraActivity> controller) {
        controller.pause();
        controller.get().onRequestPermissionsResult(2, new String[] {Manifest.permission.CAMERA},
                new int[] {PackageManager.PERMISSION_DENIED});
        controller.resume();
        Phone.rest(0);
    }

    @Test
    public void withoutACameraItSaysSo() {
        ActivityController<CameraActivity> controller = start();
        assertTrue(Phone.message(controller.get()).contains("no camera"));
    }

    @Test
    public void denialIsRememberedOverRotationAndDeath() {
        Cameras.add("0", true);
        ActivityController<CameraActivity> controller = start();
        assertTrue(Phone.message(controller.get()).contains("nothing is stored"));
        Phone.press(controller.get(), R.id.other);
        deny(controller);
        String said = Phone.message(controller.get());
        assertTrue(said, said.contains("not allowed"));
        controller.recreate();
        Phone.rest(0);
        assertEquals(said, Phone.message(controller.get()));
        assertEquals(said, Phone.message(Phone.reborn(controller).get()));
    }

    @Test
    public void framesAreSearchedAgainAfterAPause() {
        granted();
        Cameras.add("0", true);
        ActivityController<CameraActivity> controller = start();
        live(controller.get());
        controller.pause();
        Phone.rest(100);
        assertEquals("the camera is let go", 0, FramesShadow.OPEN.size());
        controller.resume();
        live(controller.get());
    }

    /** Deliver frames until one is analysed. */
    static void live(Activity activity) {
        Phone.await("the camera is open", () -> FramesShadow.OPEN.size() == 1);
        Phone.await("a frame is analysed", () -> {
            FramesShadow.deliver(new FakeFrame(Cameras.view(0.5, 0.5, 0.4)));
            Phone.rest(100);
            return Phone.text(activity, R.id.stages).contains("frames/s");
        });
    }

    @Test
    public void aCameraWithoutYuvFramesGivesTheRightAdvice() {
        granted();
        Cameras.add("0", false);
        ActivityController<CameraActivity> controller = start();
        Phone.await("a message", () -> !Phone.message(controller.get()).isEmpty());
        String said = Phone.message(controller.get());
        assertTrue(said, !said.contains("Close other apps"));
    }

    @Test
    public void noPickerIsSaid() {
        shadowOf(Phone.application()).checkActivities(true);
        ActivityController<CameraActivity> controller = start();
        Phone.press(controller.get(), R.id.pick);
        assertTrue(Phone.message(controller.get()).contains("No app"));
        assertEquals(View.VISIBLE, controller.get().findViewById(R.id.pick).getVisibility());
    }
}
