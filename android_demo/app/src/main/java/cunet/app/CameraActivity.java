package cunet.app;

import android.Manifest;
import android.app.Activity;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.os.Bundle;
import android.view.Display;
import cunet.core.Box;

/** Landmarks live: camera, network and overlay; without a camera or its permission it explains itself. */
public final class CameraActivity extends Activity implements LandmarkView.Touch, Live.Listener {
    private static final int PICK = 1;
    private static final int PERMISSION = 2;

    private LandmarkView view;
    private Panel panel;
    /** Between resume and pause. */
    private Live live;
    private Display display;
    private Scene shown;
    private int chosen;
    private boolean refused;

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.screen);
        Edges.keepClear(findViewById(R.id.root));
        chosen = state == null ? 0 : state.getInt("camera");
        refused = state != null && state.getBoolean("refused");
        display = getWindowManager().getDefaultDisplay();  // Context.getDisplay needs Android 11
        view = (LandmarkView) findViewById(R.id.view);
        view.listen(this);
        panel = new Panel(this, Models.names(this));
        panel.listen(this::choices);
        panel.pick.setOnClickListener(button -> {
            if (!Sharing.pick(this, PICK)) {
                panel.say(getString(R.string.no_picker));
            }
        });
        panel.whole.setOnClickListener(button -> onWhole());
        panel.share.setOnClickListener(button -> {
            if (live != null) {
                live.write();
            }
        });
        panel.settings.setOnClickListener(button -> {
            if (!Sharing.settings(this)) {
                panel.say(getString(R.string.no_settings));
            }
        });
    }

    @Override
    protected void onSaveInstanceState(Bundle state) {
        super.onSaveInstanceState(state);
        state.putInt("camera", chosen);
        state.putBoolean("refused", refused);
    }

    @Override
    protected void onResume() {
        super.onResume();
        live = new Live(this, this);
        choices();
        open();
    }

    @Override
    protected void onPause() {
        live.close();
        live = null;
        super.onPause();
    }

    /** Open the chosen camera, or say why there is none. */
    private void open() {
        if (live == null) {
            return;  // pressed while leaving
        }
        String[] ids = live.cameras();
        boolean allowed = checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED;
        refused &= !allowed;
        Panel.show(panel.other, false);
        Panel.show(panel.settings, refused && ids.length > 0);
        if (panel.model() == null) {
            return;  // the panel says so
        }
        if (ids.length == 0) {
            panel.say(getString(R.string.no_camera));
        } else if (!allowed) {
            panel.say(getString(refused ? R.string.denied : R.string.explain_permission));
            // Who refused twice is not asked again: the settings are left.
            boolean asks = !refused || shouldShowRequestPermissionRationale(Manifest.permission.CAMERA);
            panel.other.setText(R.string.allow);
            Panel.show(panel.other, asks);
            panel.other.setOnClickListener(button ->
                    requestPermissions(new String[] {Manifest.permission.CAMERA}, PERMISSION));
        } else {
            panel.say(null);
            panel.other.setText(R.string.switch_camera);
            Panel.show(panel.other, ids.length > 1);
            panel.other.setOnClickListener(button -> {
                chosen++;
                open();
            });
            live.open(ids[chosen % ids.length]);
        }
    }

    @Override
    public void onRequestPermissionsResult(int request, String[] permissions, int[] results) {
        // onResume follows: it opens the camera, or says that it was refused.
        refused = results.length > 0 && results[0] != PackageManager.PERMISSION_GRANTED;
    }

    /** Hand the chosen model and smoothing to the camera's thread. */
    private void choices() {
        if (live != null && panel.model() != null) {
            live.use(panel.model(), panel.threads(), panel.smoothing());
        }
    }

    @Override
    public int displayDegrees() {
        return 90 * display.getRotation();
    }

    @Override
    public void onScene(Scene scene, double[] ms, boolean anywhere) {
        shown = scene;
        view.show(scene);
        Panel.show(panel.whole, true);
        Panel.show(panel.share, true);
        boolean lost = scene.landmarks == null;
        panel.say(lost ? getString(anywhere ? R.string.lost_anywhere : R.string.lost) : null);
        double score = lost ? 0 : scene.landmarks.trust();
        panel.stages(getString(R.string.stages, panel.model(), ms[0], ms[1], ms[2], ms[3], 1000 / Math.max(ms[4], 1),
                score));
    }

    @Override
    public void onFailure(String why) {
        panel.say(why);
    }

    @Override
    public void onWritten() {
        Sharing.send(this);
    }

    @Override
    public void onTap() {
        onBox(null);
    }

    @Override
    public void onBox(Box box) {
        if (live != null) {
            live.restart(box);
        }
    }

    @Override
    public void onWhole() {
        if (shown != null) {
            onBox(Box.whole(shown.uprightWidth(), shown.uprightHeight()));
        }
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        if (request == PICK && result == RESULT_OK && data != null && data.getData() != null) {
            startActivity(new Intent(this, PictureActivity.class).setData(data.getData())
                    .addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION));
        }
    }
}
