package cunet.app;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.app.Activity;
import android.content.Intent;
import android.net.Uri;
import android.view.MotionEvent;
import android.view.View;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;

/** One picture, chosen or shared: what happens to it when things go another way. */
@RunWith(RobolectricTestRunner.class)
public final class PictureTest {
    private static void awaitResult(Activity activity) {
        Phone.await("a result is shown", () -> !Phone.text(activity, R.id.stages).isEmpty());
    }

    /** A finger draws a frame over the view, in shares of its sides. */
    private static void drag(View view, double x0, double y0, double x1, double y1) {
        float w = view.getWidth();
        float h = view.getHeight();
        double[][] steps = {{MotionEvent.ACTION_DOWN, x0, y0}, {MotionEvent.ACTION_MOVE, x1, y1},
                {MotionEvent.ACTION_UP, x1, y1}};
        for (double[] step : steps) {
            view.dispatchTouchEvent(MotionEvent.obtain(0, 0, (int) step[0], (float) step[1] * w, (float) step[2] * h,
                    0));
        }
        Phone.rest(0);
    }

    private static Intent picked(Uri uri) {
        return new Intent().setData(uri);
    }

    private static void pick(Activity activity, Uri uri) {
        Phone.press(activity, R.id.pick);
        Intent asked = shadowOf(activity).getNextStartedActivityForResult().intent;
        shadowOf(activity).receiveResult(asked, Activity.RESULT_OK, picked(uri));
        Phone.rest(0);
    }

    @Test
    public void aPickedPictureAndItsBoxOutliveRotation() {
        ActivityController<PictureActivity> controller = Phone.picture(null);
        Phone.await("the start", () -> !Phone.message(controller.get()).isEmpty());
        pick(controller.get(), Phone.serve(Phone.face()));
        awaitResult(controller.get());
        drag(controller.get().findViewById(R.id.view), 0.2, 0.3, 0.6, 0.55);
        Phone.rest(1500);
        String before = Phone.text(controller.get(), R.id.stages).replaceAll(".*confidence", "");
        Phone.screenshot(controller.get(), "picture-box-portrait");
        RuntimeEnvironment.setQualifiers("+w740dp-h360dp-land");
        controller.recreate();
        Phone.rest(3000);
        Phone.screenshot(controller.get(), "picture-box-landscape");
        assertEquals(before, Phone.text(controller.get(), R.id.stages).replaceAll(".*confidence", ""));
    }

    @Test
    public void aPickedPictureOutlivesTheProcess() {
        ActivityController<PictureActivity> first = Phone.picture(null);
        pick(first.get(), Phone.serve(Phone.face()));
        awaitResult(first.get());
        ActivityController<PictureActivity> second = Phone.reborn(first);
        Phone.rest(3000);
        assertFalse(Phone.text(second.get(), R.id.stages).isEmpty());
    }

    @Test
    public void noPickerIsSaid() {
        shadowOf(Phone.application()).checkActivities(true);
        ActivityController<PictureActivity> controller = Phone.picture(Phone.serve(Phone.face()));
        Phone.press(controller.get(), R.id.pick);
        assertTrue(Phone.message(controller.get()), Phone.message(controller.get()).contains("No app"));
    }

    @Test
    public void aStreamThatBreaksIsSaidAndTheNextPictureIsRead() {
        Uri bad = Phone.serve("bad.jpg", () -> new InputStream() {
            @Override
            public int read() {
                throw new IllegalStateException("the other app broke");
            }
        });
        ActivityController<PictureActivity> controller = Phone.picture(bad);
        Phone.await("the message", () -> Phone.message(controller.get()).contains("cannot be read"));
        pick(controller.get(), Phone.serve(Phone.face()));
        awaitResult(controller.get());
    }

    @Test
    public void aTextIsNoPicture() {
        Uri text = Phone.serve("text", () -> new ByteArrayInputStream("no picture".getBytes()));
        ActivityController<PictureActivity> controller = Phone.picture(text);
        Phone.await("the message", () -> Phone.message(controller.get()).contains("cannot be read"));
    }
}
