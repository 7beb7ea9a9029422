"""Preview pictures and the compact files for the explorer in the browser. numpy and Pillow only."""
