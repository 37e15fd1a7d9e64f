package cunet.app;

import android.app.Activity;
import android.text.TextUtils;
import android.view.View;
import android.widget.AdapterView;
import android.widget.ArrayAdapter;
import android.widget.Button;
import android.widget.CheckBox;
import android.widget.Spinner;
import android.widget.TextView;
import java.util.ArrayList;
import java.util.List;

/** The panel beside the picture: model, threads, smoothing, milliseconds, messages and buttons. */
final class Panel {
    private final TextView message, stages;
    private final Spinner model, threads;
    private final CheckBox smoothing;
    final Button pick, other, settings, whole, share;

    Panel(Activity activity, List<String> models) {
        message = (TextView) activity.findViewById(R.id.message);
        stages = (TextView) activity.findViewById(R.id.stages);
        model = (Spinner) activity.findViewById(R.id.model);
        threads = (Spinner) activity.findViewById(R.id.threads);
        smoothing = (CheckBox) activity.findViewById(R.id.smoothing);
        pick = (Button) activity.findViewById(R.id.pick);
        other = (Button) activity.findViewById(R.id.other);
        settings = (Button) activity.findViewById(R.id.settings);
        whole = (Button) activity.findViewById(R.id.whole);
        share = (Button) activity.findViewById(R.id.share);
        List<String> counts = new ArrayList<>();
        for (int i = 1; i <= Math.min(8, Runtime.getRuntime().availableProcessors()); i++) {
            counts.add(activity.getResources().getQuantityString(R.plurals.thread_count, i, i));
        }
        fill(activity, model, models);
        fill(activity, threads, counts);
        threads.setSelection(Math.min(1, counts.size() - 1));
        if (models.isEmpty()) {
            say(activity.getString(R.string.no_models));
        }
    }

    private static void fill(Activity activity, Spinner spinner, List<String> items) {
        ArrayAdapter<String> adapter = new ArrayAdapter<>(activity, android.R.layout.simple_spinner_item, items);
        adapter.setDropDownViewResource(android.R.layout.simple_spinner_dropdown_item);
        spinner.setAdapter(adapter);
    }

    /** Call after any choice, on the main thread; a spinner also calls once when it is first laid out. */
    void listen(Runnable changed) {
        AdapterView.OnItemSelectedListener chosen = new AdapterView.OnItemSelectedListener() {
            @Override
            public void onItemSelected(AdapterView<?> parent, View view, int position, long id) {
                changed.run();
            }

            @Override
            public void onNothingSelected(AdapterView<?> parent) {}
        };
        model.setOnItemSelectedListener(chosen);
        threads.setOnItemSelectedListener(chosen);
        smoothing.setOnCheckedChangeListener((button, checked) -> changed.run());
    }

    /** The chosen model, or {@code null} when there is none. */
    String model() {
        return (String) model.getSelectedItem();
    }

    int threads() {
        return threads.getSelectedItemPosition() + 1;
    }

    boolean smoothing() {
        return smoothing.isChecked();
    }

    void hideSmoothing() {
        smoothing.setVisibility(View.GONE);
    }

    static void show(Button button, boolean shown) {
        button.setVisibility(shown ? View.VISIBLE : View.GONE);
    }

    void stages(String text) {
        stages.setText(text);
    }

    /** A message for the user; {@code null} takes it away. */
    void say(String text) {
        if (TextUtils.equals(text == null ? "" : text, message.getText())) {
            return;  // said for each frame
        }
        message.setText(text);
        message.setVisibility(text == null ? View.GONE : View.VISIBLE);
    }
}
