package cunet.app;

import android.Manifest;
import android.app.Activity;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.media.Image;
import android.os.Bundle;
import android.os.Handler;
import android.os.HandlerThread;
import android.view.Display;
import android.view.View;
import cunet.core.Box;
import cunet.core.CUNetException;
import cunet.core.Orientation;

/** Landmarks live: camera, network and overlay; without a camera or its permission it explains itself. */
public final class CameraActivity extends Activity implements LandmarkView.Touch {
    private static final int PICK = 1;
    private static final int PERMISSION = 2;

    private LandmarkView view;
    private Panel panel;
    private HandlerThread thread;
    private Handler camera;
    private CameraFeed feed;
    private LiveAnalyzer analyzer;
    private Display display;
    private int chosen;
    private String loaded = "";
    private boolean refused;

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.screen);
        chosen = state == null ? 0 : state.getInt("camera");
        display = getWindowManager().getDefaultDisplay();  // Context.getDisplay needs Android 11
        view = (LandmarkView) findViewById(R.id.view);
        view.listen(this);
        panel = new Panel(this, Models.names(this), this::settings);
        panel.pick.setOnClickListener(button -> startActivityForResult(PictureActivity.picker(), PICK));
    }

    @Override
    protected void onSaveInstanceState(Bundle state) {
        super.onSaveInstanceState(state);
        state.putInt("camera", chosen);
    }

    @Override
    protected void onResume() {
        super.onResume();
        thread = new HandlerThread("camera");
        thread.start();
        camera = new Handler(thread.getLooper());
        analyzer = new LiveAnalyzer();
        feed = new CameraFeed(this, camera, new Frames(analyzer));
        loaded = "";
        settings();
        open();
    }

    @Override
    protected void onPause() {
        CameraFeed closing = feed;
        LiveAnalyzer stopping = analyzer;
        camera.post(() -> {
            closing.close();
            stopping.close();
        });
        thread.quitSafely();
        super.onPause();
    }

    /** Open the chosen camera, or say why there is none. */
    private void open() {
        String[] ids = feed.ids();
        panel.other.setVisibility(View.GONE);
        if (panel.model() == null) {
            return;  // the panel says so
        }
        if (ids.length == 0) {
            panel.say(getString(R.string.no_camera));
        } else if (checkSelfPermission(Manifest.permission.CAMERA) != PackageManager.PERMISSION_GRANTED) {
            panel.say(getString(refused ? R.string.denied : R.string.explain_permission));
            panel.other.setText(R.string.allow);
            panel.other.setVisibility(View.VISIBLE);
            panel.other.setOnClickListener(button ->
                    requestPermissions(new String[] {Manifest.permission.CAMERA}, PERMISSION));
        } else {
            panel.say(null);
            panel.other.setText(R.string.switch_camera);
            panel.other.setVisibility(ids.length > 1 ? View.VISIBLE : View.GONE);
            panel.other.setOnClickListener(button -> {
                chosen++;
                open();
            });
            CameraFeed opening = feed;
            String id = ids[chosen % ids.length];
            camera.post(() -> opening.open(id));
        }
    }

    @Override
    public void onRequestPermissionsResult(int request, String[] permissions, int[] results) {
        // onResume follows: it opens the camera, or says that it was refused.
        refused = results.length > 0 && results[0] != PackageManager.PERMISSION_GRANTED;
    }

    /** Hand the chosen model and smoothing to the camera's thread. */
    private void settings() {
        String name = panel.model();
        if (analyzer == null || name == null) {
            return;
        }
        int threads = panel.threads();
        boolean smooth = panel.smoothing();
        LiveAnalyzer target = analyzer;
        boolean reload = !loaded.equals(name + threads);
        loaded = name + threads;
        camera.post(() -> {
            target.smooth(smooth);
            if (reload) {
                try {
                    target.use(Models.load(this, name, threads));
                } catch (CUNetException error) {
                    target.close();  // no frames, so that the message stays
                    runOnUiThread(() -> panel.say(error.getMessage()));
                }
            }
        });
    }

    /** Frames of one thread for its own analyzer: a late frame never meets the analyzer of the next thread. */
    private final class Frames implements CameraFeed.Listener {
        private final LiveAnalyzer own;

        Frames(LiveAnalyzer own) {
            this.own = own;
        }

        @Override
        public void onFrame(Image image, int sensorOrientation, boolean front) {
            if (!own.ready()) {
                return;
            }
            try {
                // Asked for each frame: a turn by 180 degrees does not restart an activity.
                Orientation orientation = Orientation.ofCamera(sensorOrientation, 90 * display.getRotation(), front);
                Scene scene = own.analyze(image, orientation);
                double[] ms = own.millis.clone();
                runOnUiThread(() -> show(scene, ms));
            } catch (CUNetException error) {
                runOnUiThread(() -> panel.say(error.getMessage()));
            }
        }

        @Override
        public void onFailure(String why) {
            runOnUiThread(() -> panel.say(getString(R.string.camera_failed, why)));
        }
    }

    private void show(Scene scene, double[] ms) {
        view.show(scene);
        boolean lost = scene.landmarks == null;
        panel.say(lost ? getString(R.string.lost) : null);
        double score = lost ? 0 : scene.landmarks.trust();
        panel.stages(getString(R.string.stages, panel.model(), ms[0], ms[1], ms[2], ms[3], 1000 / Math.max(ms[4], 1),
                score));
    }

    @Override
    public void onTap() {
        onBox(null);
    }

    @Override
    public void onBox(Box box) {
        LiveAnalyzer current = analyzer;
        camera.post(() -> current.restart(box));
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        if (request == PICK && result == RESULT_OK && data != null && data.getData() != null) {
            startActivity(new Intent(this, PictureActivity.class).setData(data.getData())
                    .addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION));
        }
    }
}
