"""The paper's tables and figures beside ours, as ``cunet tables`` writes them."""
