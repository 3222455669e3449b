import './base.css';
import './terminal.css';
import './logview.css';
import './notebook.css';
