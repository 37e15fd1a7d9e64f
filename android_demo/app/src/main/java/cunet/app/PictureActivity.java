package cunet.app;

import android.app.Activity;
import android.content.Intent;
import android.graphics.Bitmap;
import android.net.Uri;
import android.os.Build;
import android.os.Bundle;
import android.os.Handler;
import android.os.HandlerThread;
import cunet.core.Box;
import cunet.core.CUNetException;
import cunet.core.Landmarks;
import cunet.core.Localizer;
import cunet.core.Orientation;
import cunet.core.Picture;
import java.io.IOException;

/** Landmarks of one picture, chosen or shared by another app; a frame can be dragged around the object. */
public final class PictureActivity extends Activity implements LandmarkView.Touch {
    private static final int PICK = 1;

    private LandmarkView view;
    private Panel panel;
    private HandlerThread thread;
    private Handler worker;
    /** Of the worker's thread. */
    private Localizer localizer;
    private Picture picture;
    private Bitmap bitmap;
    private String loaded = "";

    /** The system's photo picker, or on older Androids any app that gives pictures. */
    static Intent picker() {
        return Build.VERSION.SDK_INT >= 33
                ? new Intent("android.provider.action.PICK_IMAGES")
                : new Intent(Intent.ACTION_GET_CONTENT).addCategory(Intent.CATEGORY_OPENABLE).setType("image/*");
    }

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.screen);
        view = (LandmarkView) findViewById(R.id.view);
        view.listen(this);
        thread = new HandlerThread("picture");
        thread.start();
        worker = new Handler(thread.getLooper());
        panel = new Panel(this, Models.names(this), () -> search(null));
        panel.hideSmoothing();
        panel.pick.setOnClickListener(button -> startActivityForResult(picker(), PICK));
        open(source(getIntent()));
    }

    /** By the call whose successor needs Android 13. */
    private static Uri source(Intent intent) {
        return Intent.ACTION_SEND.equals(intent.getAction()) ? intent.getParcelableExtra(Intent.EXTRA_STREAM)
                : intent.getData();
    }

    @Override
    protected void onDestroy() {
        worker.post(() -> {
            if (localizer != null) {
                localizer.close();
            }
        });
        thread.quitSafely();
        super.onDestroy();
    }

    private void open(Uri uri) {
        worker.post(() -> {
            try {
                picture = uri == null ? null : PictureLoader.load(this, uri);
                bitmap = picture == null ? null : Scene.bitmap(picture, null);
            } catch (IOException | SecurityException | CUNetException error) {
                picture = null;
            }
            if (picture == null) {
                say(getString(R.string.bad_picture));
            }
        });
        search(null);
    }

    /** Find landmarks; without a box the search starts with the whole picture and closes in. */
    private void search(Box box) {
        String name = panel.model();
        int threads = panel.threads();
        if (name == null) {
            return;
        }
        worker.post(() -> {
            if (picture == null) {
                return;
            }
            try {
                load(name, threads);
                show(localizer.locate(picture, box), box);
            } catch (CUNetException error) {
                say(error.getMessage());
            }
        });
    }

    private void load(String name, int threads) {
        if (localizer == null || !loaded.equals(name + threads)) {
            Localizer next = Models.load(this, name, threads);
            if (localizer != null) {
                localizer.close();
            }
            localizer = next;
            loaded = name + threads;
        }
    }

    private void show(Landmarks found, Box box) {
        Scene scene = new Scene(bitmap, new Orientation(0, false), found, localizer.spec.skeleton, box);
        String text = getString(R.string.stages_picture, localizer.spec.name, localizer.cropMillis,
                localizer.networkMillis,
                localizer.decodeMillis, found.trust());
        runOnUiThread(() -> {
            view.show(scene);
            panel.stages(text);
            panel.say(getString(found.found ? R.string.drag : R.string.not_found));
        });
    }

    private void say(String text) {
        runOnUiThread(() -> panel.say(text));
    }

    @Override
    public void onTap() {
        search(null);
    }

    @Override
    public void onBox(Box box) {
        search(box);
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        if (request == PICK && result == RESULT_OK && data != null) {
            open(data.getData());
        }
    }
}
