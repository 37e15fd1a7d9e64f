package cunet.app;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.Manifest;
import android.app.Activity;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.graphics.Bitmap;
import android.hardware.camera2.CameraCharacteristics;
import android.hardware.camera2.CameraDevice;
import android.hardware.camera2.CaptureRequest;
import android.provider.Settings;
import android.util.Range;
import android.util.Size;
import android.view.View;
import org.junit.After;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.util.ReflectionHelpers;

/** The live view: permission, cameras that fail, pause and resume. */
@RunWith(RobolectricTestRunner.class)
public final class CameraTest {
    @After
    public void end() {
        Phone.end();
    }

    private static ActivityController<CameraActivity> start() {
        return Phone.started(Robolectric.buildActivity(CameraActivity.class)).setup();
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
        Phone.screenshot(controller.get(), "camera-denied");
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
        Bitmap seen = Cameras.view(0.5, 0.5, 0.4);
        Phone.await("a frame is analysed", () -> {
            FramesShadow.deliver(new FakeFrame(seen));
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
        assertTrue(said, said.contains("Take another camera"));
    }

    @Test
    public void noPickerIsSaid() {
        shadowOf(Phone.application()).checkActivities(true);
        ActivityController<CameraActivity> controller = start();
        Phone.press(controller.get(), R.id.pick);
        assertTrue(Phone.message(controller.get()).contains("No app"));
        assertEquals(View.VISIBLE, controller.get().findViewById(R.id.pick).getVisibility());
    }

    @Test
    public void whoRefusedTwiceIsSentToTheSettings() {
        Cameras.add("0", true);
        ActivityController<CameraActivity> controller = start();
        assertFalse("not before", controller.get().findViewById(R.id.settings).isShown());
        deny(controller);
        assertFalse("no question that nobody shows", controller.get().findViewById(R.id.other).isShown());
        Phone.press(controller.get(), R.id.settings);
        Intent asked = shadowOf(controller.get()).getNextStartedActivity();
        assertEquals(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, asked.getAction());
        assertEquals("package:cunet.app", asked.getDataString());
        controller.pause();
        granted();
        controller.resume();
        live(controller.get());
        assertFalse(controller.get().findViewById(R.id.settings).isShown());
    }

    @Test
    public void aSmallFaceAnywhereIsFoundWhereTheCameraSeesIt() {
        granted();
        Cameras.add("0", true);
        CameraActivity activity = start().get();
        live(activity);
        assertEquals(new Range<>(15, 30), RequestShadow.ASKED.get(CaptureRequest.CONTROL_AE_TARGET_FPS_RANGE));
        assertEquals(1, RequestShadow.ASKED.get(CaptureRequest.STATISTICS_FACE_DETECT_MODE));
        assertEquals("640x480", FramesShadow.sides());
        SessionShadow.see();
        frames(activity, 0.8, 0.25, 0.12, 12);
        assertEquals("Picture, nothing found", Phone.words(activity));
        assertTrue(Phone.message(activity), Phone.message(activity).contains("a face anywhere"));
        SessionShadow.see(Cameras.onSensor(0.8, 0.25, 0.12));
        frames(activity, 0.8, 0.25, 0.12, 3);
        assertEquals("68 landmarks of a face, at the upper right, confidence 90 percent", Phone.words(activity));
        Phone.screenshot(activity, "camera-corner");
    }

    @Test
    public void theFrontCameraIsALookingGlass() {
        granted();
        Cameras.add("0", true, CameraCharacteristics.LENS_FACING_FRONT, 0);
        CameraActivity activity = start().get();
        live(activity);
        SessionShadow.see(Cameras.onSensor(0.8, 0.25, 0.2));
        frames(activity, 0.8, 0.25, 0.2, 12);
        assertTrue(Phone.words(activity), Phone.words(activity).contains("at the upper left"));
        Phone.screenshot(activity, "camera-front");
    }

    private static void frames(Activity activity, double x, double y, double side, int count) {
        Bitmap seen = Cameras.view(x, y, side);
        for (int i = 0; i < count; i++) {
            Scene before = Phone.scene(activity);
            FramesShadow.deliver(new FakeFrame(seen));
            Phone.await("the frame is shown", () -> Phone.scene(activity) != before);
        }
    }

    @Test
    public void whatAReplacedCameraStillSaysIsNotHeard() {
        granted();
        Cameras.add("0", true);
        Cameras.add("1", true);
        CameraActivity activity = start().get();
        live(activity);
        CameraDevice.StateCallback old = ReflectionHelpers.getField(Cameras.manager(), "lastCallback");
        CameraDevice device = ReflectionHelpers.getField(Cameras.manager(), "lastDevice");
        Phone.press(activity, R.id.other);
        live(activity);
        SessionShadow.tell(() -> old.onDisconnected(device));
        live(activity);
        assertEquals("", Phone.message(activity).replaceAll("Show a face.*", ""));
    }

    @Test
    public void aCameraThatAnotherAppTookComesBack() {
        granted();
        Cameras.add("0", true);
        CameraActivity activity = start().get();
        live(activity);
        Cameras.manager().triggerDisconnect();
        Phone.await("the message", () -> Phone.message(activity).contains("Another app took the camera"));
        Cameras.manager().removeCamera("0");
        Cameras.add("0", true);  // as the system tells that it is free
        live(activity);
        assertEquals("", Phone.message(activity).replaceAll("Show a face.*", ""));
    }

    @Test
    public void aCameraInUseIsOpenedWhenItIsFree() {
        granted();
        Cameras.add("0", true);
        CameraActivity activity = start().get();
        live(activity);
        CameraDevice.StateCallback callback = ReflectionHelpers.getField(Cameras.manager(), "lastCallback");
        CameraDevice device = ReflectionHelpers.getField(Cameras.manager(), "lastDevice");
        SessionShadow.tell(() -> callback.onError(device, CameraDevice.StateCallback.ERROR_CAMERA_IN_USE));
        Phone.await("the message", () -> Phone.message(activity).contains("Another app took the camera"));
        Phone.screenshot(activity, "camera-taken");
        Cameras.manager().removeCamera("0");
        Cameras.add("0", true);
        live(activity);
    }

    @Test
    public void aBrokenFrameDoesNotStopTheNext() {
        granted();
        Cameras.add("0", true);
        CameraActivity activity = start().get();
        live(activity);
        FakeFrame broken = new FakeFrame(Cameras.view(0.5, 0.5, 0.4));
        broken.getPlanes()[1] = null;
        FramesShadow.deliver(broken);
        Phone.await("the message", () -> Phone.message(activity).contains("went wrong"));
        frames(activity, 0.5, 0.5, 0.4, 2);
    }

    @Test
    @SuppressWarnings("unchecked")
    public void sizeAndFrameRateAreChosenWithCare() {
        assertEquals(new Range<>(10, 30), CameraChoice.rate(new Range[] {new Range<>(24, 24), new Range<>(30, 30),
                new Range<>(10, 30), new Range<>(60, 60)}));
        assertNull("the camera's own", CameraChoice.rate(new Range[] {new Range<>(60, 60)}));
        assertNull(CameraChoice.rate(null));
        Size vga = new Size(640, 480);
        assertEquals(vga, CameraChoice.size(new Size[] {new Size(1920, 1080), new Size(352, 288), vga}));
        assertEquals("the largest of small ones", new Size(352, 288),
                CameraChoice.size(new Size[] {new Size(176, 144), new Size(352, 288)}));
        assertNull(CameraChoice.size(new Size[0]));
    }
}
