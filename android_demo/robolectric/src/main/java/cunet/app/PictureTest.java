package cunet.app;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.app.Activity;
import android.content.Intent;
import android.database.Cursor;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.Matrix;
import android.net.Uri;
import android.view.MotionEvent;
import android.view.View;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import org.junit.After;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;

/** One picture, chosen or shared: what happens to it when things go another way. */
@RunWith(RobolectricTestRunner.class)
public final class PictureTest {
    @After
    public void end() {
        Phone.end();
    }

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
        String whole = confidence(controller.get());
        drag(controller.get().findViewById(R.id.view), 0.2, 0.3, 0.6, 0.55);
        Phone.await("another answer", () -> !confidence(controller.get()).equals(whole));
        String before = confidence(controller.get());
        Phone.screenshot(controller.get(), "picture-box-portrait");
        RuntimeEnvironment.setQualifiers("+w740dp-h360dp-land");
        controller.recreate();
        awaitResult(controller.get());
        Phone.screenshot(controller.get(), "picture-box-landscape");
        assertEquals(before, confidence(controller.get()));
    }

    private static String confidence(Activity activity) {
        return Phone.text(activity, R.id.stages).replaceAll(".*confidence", "");
    }

    @Test
    public void aPickedPictureOutlivesTheProcess() {
        ActivityController<PictureActivity> first = Phone.picture(null);
        pick(first.get(), Phone.serve(Phone.face()));
        awaitResult(first.get());
        ActivityController<PictureActivity> second = Phone.reborn(first);
        awaitResult(second.get());
    }

    @Test
    public void noPickerIsSaid() {
        shadowOf(Phone.application()).checkActivities(true);
        ActivityController<PictureActivity> controller = Phone.pictureOfFace();
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
        Scene kept = Phone.scene(controller.get());
        pick(controller.get(), bad);
        Phone.await("the message", () -> Phone.message(controller.get()).contains("cannot be read"));
        assertEquals("the picture before stays", kept, Phone.scene(controller.get()));
    }

    @Test
    public void aTextIsNoPicture() {
        Uri text = Phone.serve("text", () -> new ByteArrayInputStream("no picture".getBytes()));
        ActivityController<PictureActivity> controller = Phone.picture(text);
        Phone.await("the message", () -> Phone.message(controller.get()).contains("cannot be read"));
    }

    /** A small face far from the middle, as a file. */
    private static Uri corner() {
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        Cameras.view(0.8, 0.25, 0.12).compress(Bitmap.CompressFormat.PNG, 100, png);
        return Phone.serve("corner.png", () -> new ByteArrayInputStream(png.toByteArray()));
    }

    @Test
    public void aSmallFaceInACornerIsFoundByAndroidsDetector() {
        FacesShadow.face = Cameras.eyes(0.8, 0.25, 0.12);
        PictureActivity activity = Phone.picture(corner()).get();
        awaitResult(activity);
        assertEquals("640x480 RGB_565", FacesShadow.asked);
        assertEquals("68 landmarks of a face, at the upper right, confidence 90 percent", Phone.words(activity));
        Phone.screenshot(activity, "picture-corner");
        Phone.press(activity, R.id.whole);  // a search of the whole picture misses it, and says so
        Phone.await("the other answer", () -> Phone.message(activity).contains("Nothing that the model is sure of"));
        assertEquals("Picture, nothing found", Phone.words(activity));
    }

    @Test
    public void aPictureStoredSidewaysIsTurnedByItsExifTag() {
        Bitmap photo = BitmapFactory.decodeFile(Phone.face().toString());
        Matrix back = new Matrix();
        back.postRotate(-90);
        Bitmap lying = Bitmap.createBitmap(photo, 0, 0, photo.getWidth(), photo.getHeight(), back, true);
        ByteArrayOutputStream jpeg = new ByteArrayOutputStream();
        lying.compress(Bitmap.CompressFormat.JPEG, 95, jpeg);
        FacesShadow.face = Cameras.eyesInPhotograph();
        byte[] turned = Phone.withOrientation(jpeg.toByteArray(), 6);
        PictureActivity activity = Phone.picture(Phone.serve("exif.jpg", () -> new ByteArrayInputStream(turned))).get();
        awaitResult(activity);
        assertTrue(Phone.words(activity), Phone.words(activity).startsWith("68 landmarks of a face, in the middle"));
        assertEquals(photo.getWidth(), Phone.scene(activity).bitmap.getWidth());
    }

    @Test
    public void theAnnotatedPictureIsSharedWithTheRightToReadIt() throws Exception {
        PictureActivity activity = Phone.pictureOfFace().get();
        Phone.press(activity, R.id.share);
        Intent[] chooser = new Intent[1];
        Phone.await("the choice of apps", () -> (chooser[0] = shadowOf(activity).getNextStartedActivity()) != null);
        Intent send = chooser[0].getParcelableExtra(Intent.EXTRA_INTENT);
        assertEquals(Intent.ACTION_SEND, send.getAction());
        assertTrue((send.getFlags() & Intent.FLAG_GRANT_READ_URI_PERMISSION) != 0);
        Uri uri = send.getClipData().getItemAt(0).getUri();
        SharedPictures provider = Robolectric.setupContentProvider(SharedPictures.class, uri.getAuthority());
        Path sent = Paths.get(System.getProperty("cunet.screenshots"), "shared.jpg");
        Files.copy(SharedPictures.file(activity).toPath(), sent, StandardCopyOption.REPLACE_EXISTING);
        Bitmap read = BitmapFactory.decodeFile(sent.toString());
        assertEquals(Phone.scene(activity).bitmap.getWidth(), read.getWidth());
        assertEquals("image/jpeg", provider.getType(uri));
        Cursor facts = provider.query(uri, null, null, null, null);
        assertTrue(facts.moveToFirst() && facts.getLong(1) == Files.size(sent));
        facts.close();
        try {
            provider.openFile(Uri.parse("content://cunet.app.pictures/../other"), "r");
            throw new AssertionError("gave another file");
        } catch (FileNotFoundException expected) {
            assertTrue(expected.getMessage().contains("only"));
        }
    }

    @Test
    public void aDamagedCacheIsWrittenAnew() throws Exception {
        ActivityController<PictureActivity> first = Phone.pictureOfFace();
        String sure = Phone.words(first.get());
        first.close();
        Path folder = Phone.application().getCacheDir().toPath().resolve("models");
        Path file = Files.list(folder).filter(path -> path.toString().endsWith(".tflite")).findFirst().get();
        byte[] bytes = Files.readAllBytes(file);
        for (int i = bytes.length / 2; i < bytes.length / 2 + 4000; i++) {
            bytes[i] ^= 0x55;  // as long as before
        }
        Files.write(file, bytes);
        PictureActivity second = Phone.picture(Phone.serve(Phone.face())).get();
        awaitResult(second);
        assertEquals(sure, Phone.words(second));
    }
}
