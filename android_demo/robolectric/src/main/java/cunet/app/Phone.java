package cunet.app;

import static org.robolectric.Shadows.shadowOf;

import android.app.Activity;
import android.app.Application;
import android.content.Intent;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.net.Uri;
import android.os.Bundle;
import android.os.Looper;
import android.os.Parcel;
import android.view.View;
import android.widget.TextView;
import java.io.ByteArrayInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.robolectric.Robolectric;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.util.ReflectionHelpers;

/** What the tests do to the device and see on its screen. */
final class Phone {
    private static final long PATIENCE = 20_000;  // milliseconds until a wait fails; a network's process starts in them

    private static final List<ActivityController<?>> STARTED = new ArrayList<>();

    private Phone() {}

    /** An activity from its start to what people see; {@link #end} ends it. */
    static <A extends Activity> ActivityController<A> started(ActivityController<A> controller) {
        STARTED.add(controller);
        return controller;
    }

    /** After each test: leave all screens, so that threads and networks go, and forget what was played. */
    static void end() {
        for (ActivityController<?> controller : STARTED) {
            if (!controller.get().isDestroyed()) {
                controller.close();
            }
        }
        STARTED.clear();
        FramesShadow.reset();
        FacesShadow.reset();
        SessionShadow.reset();
        RequestShadow.ASKED.clear();
    }

    /** Let the main thread work until something is so. */
    static void await(String what, BooleanSupplier so) {
        long end = System.currentTimeMillis() + PATIENCE;
        while (!so.getAsBoolean()) {
            if (System.currentTimeMillis() > end) {
                throw new AssertionError("waited in vain until " + what);
            }
            rest(10);
        }
    }

    /** Let all threads work for a while. */
    static void rest(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException error) {
            throw new AssertionError(error);
        }
        shadowOf(Looper.getMainLooper()).idle();
    }

    /** An address behind which another app gives a stream. */
    static Uri serve(String name, Supplier<InputStream> stream) {
        Uri uri = Uri.parse("content://pictures/" + name);
        shadowOf(application().getContentResolver()).registerInputStreamSupplier(uri, stream);
        return uri;
    }

    /** A file's bytes behind an address. */
    static Uri serve(Path file) {
        byte[] bytes = bytes(file);
        return serve(file.getFileName().toString(), () -> new ByteArrayInputStream(bytes));
    }

    static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException error) {
            throw new AssertionError(error);
        }
    }

    /** The photograph of a face in {@code docs/pictures}. */
    static Path face() {
        return Paths.get(System.getProperty("cunet.face"));
    }

    /** Opens that photograph, in which Android's detector sees the face, and waits for its landmarks. */
    static ActivityController<PictureActivity> pictureOfFace() {
        FacesShadow.face = Cameras.eyesInPhotograph();
        ActivityController<PictureActivity> controller = picture(serve(face()));
        await("a result is shown", () -> !text(controller.get(), R.id.stages).isEmpty());
        return controller;
    }

    static Application application() {
        return RuntimeEnvironment.getApplication();
    }

    static ActivityController<PictureActivity> picture(Uri uri) {
        Intent intent = new Intent(application(), PictureActivity.class).setData(uri);
        return started(Robolectric.buildActivity(PictureActivity.class, intent)).setup();
    }

    /** The system ends the process and makes the activity anew from what it saved, through bytes. */
    static <A extends Activity> ActivityController<A> reborn(ActivityController<A> dying) {
        Bundle saved = new Bundle();
        dying.pause().stop().saveInstanceState(saved);
        Intent intent = dying.getIntent();
        Class<? extends Activity> kind = dying.get().getClass();
        dying.destroy();
        Parcel parcel = Parcel.obtain();
        parcel.writeBundle(saved);
        parcel.setDataPosition(0);
        Bundle read = parcel.readBundle(Phone.class.getClassLoader());
        @SuppressWarnings("unchecked")
        ActivityController<A> born = (ActivityController<A>) Robolectric.buildActivity(kind, intent);
        return started(born).setup(read);
    }

    /** What a text on the screen says; empty when it is not shown. */
    static String text(Activity activity, int id) {
        TextView view = (TextView) activity.findViewById(id);
        return view.getVisibility() == View.VISIBLE ? view.getText().toString() : "";
    }

    static String message(Activity activity) {
        return text(activity, R.id.message);
    }

    static void press(Activity activity, int id) {
        View button = activity.findViewById(id);
        if (!button.isShown() || !button.isEnabled()) {
            throw new AssertionError("a button that cannot be pressed");
        }
        button.performClick();
        rest(0);
    }

    /** What a screen reader says of the picture. */
    static String words(Activity activity) {
        return activity.findViewById(R.id.view).getContentDescription().toString();
    }

    static Scene scene(Activity activity) {
        return ReflectionHelpers.getField(activity.findViewById(R.id.view), "scene");
    }

    /** A JPEG file with an Exif tag that says how it lies. */
    static byte[] withOrientation(byte[] jpeg, int tag) {
        ByteBuffer out = ByteBuffer.allocate(jpeg.length + 36).put(jpeg, 0, 2);
        out.putShort((short) 0xFFE1).putShort((short) 34).put("Exif\0\0MM\0*".getBytes()).putInt(8).putShort((short) 1);
        out.putShort((short) 0x0112).putShort((short) 3).putInt(1).putShort((short) tag).putShort((short) 0).putInt(0);
        return out.put(jpeg, 2, jpeg.length - 2).array();
    }

    /** What the screen shows, as a picture; also written where people look at it. */
    static Bitmap screenshot(Activity activity, String name) {
        rest(0);
        View root = activity.getWindow().getDecorView();
        Bitmap bitmap = Bitmap.createBitmap(root.getWidth(), root.getHeight(), Bitmap.Config.ARGB_8888);
        root.draw(new Canvas(bitmap));
        save(bitmap, name);
        return bitmap;
    }

    static void save(Bitmap bitmap, String name) {
        Path folder = Paths.get(System.getProperty("cunet.screenshots"));
        try (FileOutputStream out = new FileOutputStream(folder.resolve(name + ".png").toFile())) {
            bitmap.compress(Bitmap.CompressFormat.PNG, 100, out);
        } catch (IOException error) {
            throw new AssertionError(error);
        }
    }
}
