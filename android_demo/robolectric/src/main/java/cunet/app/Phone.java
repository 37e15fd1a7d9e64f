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
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.robolectric.Robolectric;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;

/** What the tests do to the device and see on its screen. */
final class Phone {
    private static final long PATIENCE = 30_000;  // milliseconds until a wait fails; a network's process starts in them

    private Phone() {}

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

    static Application application() {
        return RuntimeEnvironment.getApplication();
    }

    static ActivityController<PictureActivity> picture(Uri uri) {
        Intent intent = new Intent(application(), PictureActivity.class).setData(uri);
        return Robolectric.buildActivity(PictureActivity.class, intent).setup();
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
        return born.setup(read);
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

    /** What the screen shows, as a picture; also written where people look at it. */
    static Bitmap screenshot(Activity activity, String name) {
        rest(0);
        View root = activity.getWindow().getDecorView();
        Bitmap bitmap = Bitmap.createBitmap(root.getWidth(), root.getHeight(), Bitmap.Config.ARGB_8888);
        root.draw(new Canvas(bitmap));
        Path folder = Paths.get(System.getProperty("cunet.screenshots"));
        try (FileOutputStream out = new FileOutputStream(folder.resolve(name + ".png").toFile())) {
            bitmap.compress(Bitmap.CompressFormat.PNG, 100, out);
        } catch (IOException error) {
            throw new AssertionError(error);
        }
        return bitmap;
    }
}
