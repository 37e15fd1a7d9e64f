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

/** The panel below the picture: model, threads, smoothing, milliseconds, messages and buttons. */
final class Panel {
    private final TextView message, stages;
    private final Spinner model, threads;
    private final CheckBox smoothing;
    final Button pick, other;

    /** @param changed runs on the main thread after any choice, and once at the start */
    Panel(Activity activity, List<String> models, Runnable changed) {
        message = (TextView) activity.findViewById(R.id.message);
        stages = (TextView) activity.findViewById(R.id.stages);
        model = (Spinner) activity.findViewById(R.id.model);
        threads = (Spinner) activity.findViewById(R.id.threads);
        smoothing = (CheckBox) activity.findViewById(R.id.smoothing);
        pick = (Button) activity.findViewById(R.id.pick);
        other = (Button) activity.findViewById(R.id.other);
        List<String> counts = new ArrayList<>();
        for (int i = 1; i <= Math.min(8, Runtime.getRuntime().availableProcessors()); i++) {
            counts.add(String.valueOf(i));
        }
        fill(activity, model, models, changed);
        fill(activity, threads, counts, changed);
        threads.setSelection(Math.min(1, counts.size() - 1));
        smoothing.setOnCheckedChangeListener((button, checked) -> changed.run());
        if (models.isEmpty()) {
            say(activity.getString(R.string.no_models));
        }
    }

    private static void fill(Activity activity, Spinner spinner, List<String> items, Runnable changed) {
        ArrayAdapter<String> adapter = new ArrayAdapter<>(activity, android.R.layout.simple_spinner_item, items);
        adapter.setDropDownViewResource(android.R.layout.simple_spinner_dropdown_item);
        spinner.setAdapter(adapter);
        spinner.setOnItemSelectedListener(new AdapterView.OnItemSelectedListener() {
            @Override
            public void onItemSelected(AdapterView<?> parent, View view, int position, long id) {
                changed.run();
            }

            @Override
            public void onNothingSelected(AdapterView<?> parent) {}
        });
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
