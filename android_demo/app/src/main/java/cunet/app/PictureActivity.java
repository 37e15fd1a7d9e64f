package cunet.app;

import android.app.Activity;
import android.content.Intent;
import android.net.Uri;
import android.os.Bundle;
import cunet.core.Box;

/** Landmarks of one picture, chosen or shared by another app; a frame can be dragged around the object. */
public final class PictureActivity extends Activity implements LandmarkView.Touch, PictureSearch.Listener {
    private static final int PICK = 1;

    private LandmarkView view;
    private Panel panel;
    private PictureSearch search;
    // What the screen is made of; outlives rotation and the process.
    private Uri picture;
    private Box box;
    private boolean whole;
    private String searched = "";

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.screen);
        Edges.keepClear(findViewById(R.id.root));
        view = (LandmarkView) findViewById(R.id.view);
        view.listen(this);
        search = new PictureSearch(this, this);
        panel = new Panel(this, Models.names(this));
        panel.hideSmoothing();
        panel.pick.setOnClickListener(button -> {
            if (!Sharing.pick(this, PICK)) {
                panel.say(getString(R.string.no_picker));
            }
        });
        panel.whole.setOnClickListener(button -> onWhole());
        panel.share.setOnClickListener(button -> search.write());
        panel.listen(() -> search(false));
        Uri uri = source(getIntent());
        if (state != null) {
            uri = state.getParcelable("picture");
            double[] sides = state.getDoubleArray("box");
            box = sides == null ? null : new Box(sides[0], sides[1], sides[2], sides[3]);
            whole = state.getBoolean("whole");
        }
        picture = uri;
        if (uri == null) {
            panel.say(getString(R.string.nothing_open));
        } else {
            search.open(uri);
        }
    }

    /** By the call whose successor needs Android 13. */
    private static Uri source(Intent intent) {
        return Intent.ACTION_SEND.equals(intent.getAction()) ? intent.getParcelableExtra(Intent.EXTRA_STREAM)
                : intent.getData();
    }

    @Override
    protected void onSaveInstanceState(Bundle state) {
        super.onSaveInstanceState(state);
        state.putParcelable("picture", picture);
        state.putDoubleArray("box", box == null ? null : new double[] {box.x0, box.y0, box.x1, box.y1});
        state.putBoolean("whole", whole);
    }

    @Override
    protected void onDestroy() {
        search.close();
        super.onDestroy();
    }

    /** Ask for landmarks with what the panel says; {@code again} even if that was the last question. */
    private void search(boolean again) {
        if (panel.model() == null) {
            return;  // the panel says so
        }
        String question = panel.model() + panel.threads();
        if (again || !question.equals(searched)) {
            searched = question;
            search.search(new PictureSearch.Wish(panel.model(), panel.threads(), box, whole));
        }
    }

    @Override
    public void onPicture(Uri uri, Scene scene) {
        if (!uri.equals(picture)) {  // the box was another picture's
            box = null;
            whole = false;
        }
        picture = uri;
        view.show(scene);
        Panel.show(panel.whole, true);
        search(true);
    }

    @Override
    public void onUnread(int why) {
        panel.say(getString(why));
    }

    @Override
    public void onFound(Scene scene, String stages) {
        view.show(scene);
        panel.stages(stages);
        panel.say(getString(scene.landmarks.found ? R.string.drag : R.string.not_found));
        Panel.show(panel.share, true);
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
        place(null, false);
    }

    @Override
    public void onBox(Box dragged) {
        place(dragged, false);
    }

    @Override
    public void onWhole() {
        place(null, true);
    }

    private void place(Box where, boolean everywhere) {
        box = where;
        whole = everywhere;
        search(true);
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        if (request == PICK && result == RESULT_OK && data != null && data.getData() != null) {
            search.open(data.getData());
        }
    }
}
